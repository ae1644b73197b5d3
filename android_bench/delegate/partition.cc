#include "delegate/partition.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace tfkit {
namespace {

std::string NodeName(int node, const std::string& op) {
  return "node " + std::to_string(node) + " (" + op + "): ";
}

// The runtime releases it with free().
TfLiteIntArray* NewIntArray(const std::vector<int>& values) {
  auto* array = static_cast<TfLiteIntArray*>(
      std::malloc(offsetof(TfLiteIntArray, data) + values.size() * sizeof(int)));
  if (!array) throw std::bad_alloc();
  array->size = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), array->data);
  return array;
}

}  // namespace

Partition::Partition(TfLiteContext* context, const TfLiteDelegateParams& params,
                     const Options& options)
    : profile_(options.profile),
      outputs_(params.output_tensors->data,
               params.output_tensors->data + params.output_tensors->size) {
  for (int i = 0; i < params.nodes_to_replace->size; ++i) {
    auto step = std::make_unique<Step>();
    step->node = params.nodes_to_replace->data[i];
    const NodeView view(context, step->node);
    step->name = view.op_name();
    try {
      step->op = MakeOp(view, options.kernel);
      step->input = view.input_index(0);
      step->output = view.output_index(0);
    } catch (const Unsupported& error) {
      throw Unsupported(NodeName(step->node, step->name) + error.what());
    }
    steps_.push_back(std::move(step));
  }
}

void Partition::Prepare(TfLiteContext* context) {
  ready_ = false;
  std::map<int, Shape> produced;
  std::vector<std::string> kernels;
  for (const auto& step : steps_) {
    try {
      PrepareStep(context, *step, produced);
    } catch (const Unsupported& error) {
      throw Unsupported(NodeName(step->node, step->name) + error.what());
    }
    kernels.push_back(step->op->kernel_name());
  }
  const std::lock_guard<std::mutex> lock(report_mutex_);
  kernels_ = std::move(kernels);
  ready_ = true;
}

void Partition::PrepareStep(TfLiteContext* context, Step& step, std::map<int, Shape>& produced) {
  TfLiteTensor& input = context->tensors[step.input];
  TfLiteTensor& output = context->tensors[step.output];
  if (input.sparsity) throw Unsupported("its input is stored sparse");
  const auto inner = produced.find(step.input);
  const Shape input_shape = inner != produced.end() ? inner->second : ShapeOf(input);
  const Shape output_shape = step.op->Prepare(input_shape);
  step.input_bytes = Elements(input_shape) * SizeOf(input.type);
  step.output_bytes = Elements(output_shape) * SizeOf(output.type);
  if (!produced.emplace(step.output, output_shape).second) {
    throw Unsupported("its output is written by another node too");
  }
  if (std::find(outputs_.begin(), outputs_.end(), step.output) != outputs_.end()) {
    if (context->ResizeTensor(context, &output, NewIntArray(output_shape)) != kTfLiteOk) {
      throw Unsupported("the runtime cannot give its output the shape " + ToString(output_shape));
    }
  } else {
    buffers_[step.output].resize((step.output_bytes + 7) / 8);
  }
}

void* Partition::Data(TfLiteContext* context, int tensor, std::size_t bytes) {
  const auto inner = buffers_.find(tensor);
  if (inner != buffers_.end()) return inner->second.data();
  const TfLiteTensor& outer = context->tensors[tensor];
  if (!outer.data || outer.bytes < bytes ||
      reinterpret_cast<std::uintptr_t>(outer.data) % SizeOf(outer.type) != 0) {
    throw Unsupported("tensor " + std::to_string(tensor) +
                      " has no memory, too little, or misaligned memory");
  }
  return outer.data;
}

void Partition::Invoke(TfLiteContext* context) {
  if (!ready_) throw Unsupported("the nodes were not prepared for the shapes of their inputs");
  for (const auto& step : steps_) {
    const void* input = Data(context, step->input, step->input_bytes);
    void* output = Data(context, step->output, step->output_bytes);
    if (!profile_) {
      step->op->Run(input, output);
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    step->op->Run(input, output);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    step->nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
    ++step->invocations;
  }
}

std::vector<NodeReport> Partition::Report() const {
  const std::lock_guard<std::mutex> lock(report_mutex_);
  std::vector<NodeReport> report;
  for (std::size_t i = 0; i < kernels_.size(); ++i) {
    const Step& step = *steps_[i];
    report.push_back({step.node, step.name, kernels_[i], step.invocations, step.nanoseconds});
  }
  return report;
}

}  // namespace tfkit
