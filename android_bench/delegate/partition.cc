#include "delegate/partition.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace tfkit {
namespace {

std::string NodeName(int node, const std::string& op) {
  return "node " + std::to_string(node) + " (" + op + "): ";
}

constexpr int kMaxThreads = 256;

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
                     const Options& options, ThreadPool& pool, std::shared_ptr<Arena> arena)
    : options_(options),
      pool_(pool),
      arena_(std::move(arena)),
      outputs_(params.output_tensors->data,
               params.output_tensors->data + params.output_tensors->size) {
  for (int i = 0; i < params.nodes_to_replace->size; ++i) {
    auto step = std::make_unique<Step>();
    step->node = params.nodes_to_replace->data[i];
    const NodeView view(context, step->node);
    step->name = view.op_name();
    try {
      if (UnpackedWeights::IsName(view.op_name())) {
        unpacked_.push_back(std::make_unique<UnpackedWeights>(context, view));
        continue;
      }
      step->op = MakeOp(view, options.kernel);
      for (int input = 0; input < step->op->activations(); ++input) {
        step->inputs.push_back(view.input_index(input));
      }
      step->output = view.output_index(0);
    } catch (const Unsupported& error) {
      throw Unsupported(NodeName(step->node, step->name) + error.what());
    }
    steps_.push_back(std::move(step));
  }
}

Partition::~Partition() { arena_->Release(this); }

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
  Plan(Threads(context));
  const std::lock_guard<std::mutex> lock(report_mutex_);
  kernels_ = std::move(kernels);
  ready_ = true;
}

void Partition::PrepareStep(TfLiteContext* context, Step& step, std::map<int, Shape>& produced) {
  std::vector<Shape> shapes;
  step.input_bytes.clear();
  for (int tensor : step.inputs) {
    const TfLiteTensor& input = context->tensors[tensor];
    if (input.sparsity) throw Unsupported("its input is stored sparse");
    const auto inner = produced.find(tensor);
    shapes.push_back(inner != produced.end() ? inner->second : ShapeOf(input));
  }
  const Shape output_shape = step.op->Prepare(shapes);
  step.work = step.op->work();
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    step.input_bytes.push_back(Elements(shapes[i]) * SizeOf(context->tensors[step.inputs[i]].type));
  }
  TfLiteTensor& output = context->tensors[step.output];
  step.output_bytes = Elements(output_shape) * SizeOf(output.type);
  if (!produced.emplace(step.output, output_shape).second) {
    throw Unsupported("its output is written by another node too");
  }
  if (!IsInner(step.output) &&
      context->ResizeTensor(context, &output, NewIntArray(output_shape)) != kTfLiteOk) {
    throw Unsupported("the runtime cannot give its output the shape " + ToString(output_shape));
  }
}

int Partition::Threads(const TfLiteContext* context) const {
  if (options_.num_threads > 0) return options_.num_threads;
  return std::clamp(context->recommended_num_threads, 1, kMaxThreads);
}

void Partition::Plan(int threads) {
  std::vector<StepFacts> facts;
  MemoryReport memory{arena_.get()};
  for (const auto& step : steps_) {
    facts.push_back(
        {step->inputs, step->output, step->output_bytes, IsInner(step->output), step->work});
    memory.packed_bytes += step->work.packed_bytes;
  }
  for (const auto& weights : unpacked_) memory.packed_bytes += weights->bytes();
  schedule_ = MakeSchedule(facts, threads);
  arena_->Reserve(this, schedule_.words);
  memory.tensor_bytes = schedule_.tensor_words * sizeof(std::uint64_t);
  const std::lock_guard<std::mutex> lock(report_mutex_);
  memory_ = memory;
}

bool Partition::IsInner(int tensor) const {
  return std::find(outputs_.begin(), outputs_.end(), tensor) == outputs_.end();
}

Operand Partition::OperandOf(TfLiteContext* context, int tensor, std::size_t bytes,
                             std::int64_t parts) const {
  Operand operand;
  operand.part_bytes = bytes / parts;
  int owner = tensor;  // whose memory it is
  const auto inner = schedule_.places.find(tensor);
  if (inner != schedule_.places.end()) {
    const Location& place = inner->second;
    if (place.of_thread) {
      operand.own_offset = place.word * sizeof(std::uint64_t);
      return operand;
    }
    if (place.output == Location::kNowhere) {
      operand.data = reinterpret_cast<char*>(arena_->data() + place.word);
      return operand;
    }
    owner = place.output;
  }
  const TfLiteTensor& outer = context->tensors[owner];
  if (!outer.data || outer.bytes < bytes ||
      reinterpret_cast<std::uintptr_t>(outer.data) % SizeOf(context->tensors[tensor].type) != 0) {
    throw Unsupported("tensor " + std::to_string(owner) +
                      " has no memory, too little, or misaligned memory");
  }
  operand.data = static_cast<char*>(outer.data);
  return operand;
}

void Partition::Run(TfLiteContext* context, const Group& group, ThreadPool::Session& session) {
  const Work& first = steps_[group.first]->work;
  const std::int64_t parts = first.units.back();
  std::vector<GroupStep> runs;
  for (int i = group.first; i <= group.last; ++i) {
    const Step& step = *steps_[i];
    GroupStep run;
    run.op = step.op.get();
    for (std::size_t k = 0; k < step.inputs.size(); ++k) {
      run.inputs[k] = OperandOf(context, step.inputs[k], step.input_bytes[k], parts);
    }
    run.output = OperandOf(context, step.output, step.output_bytes, parts);
    if (i != group.first) run.units_per_part = step.work.units.back() / parts;
    runs.push_back(run);
  }
  GroupRun run(group, first, std::move(runs), arena_->data() + group.scratch, options_.profile);
  const auto start = std::chrono::steady_clock::now();
  run.Run(session);
  if (!options_.profile) return;

  // The group's time, shared out as the calling thread spent its own.
  const std::chrono::nanoseconds elapsed = std::chrono::steady_clock::now() - start;
  double spent = 0;
  for (const GroupStep& step : run.steps()) spent += step.nanoseconds;
  for (int i = group.first; i <= group.last; ++i) {
    const double own = run.steps()[i - group.first].nanoseconds;
    const double share = spent > 0 ? own / spent : i == group.first;
    steps_[i]->nanoseconds += static_cast<std::uint64_t>(elapsed.count() * share);
    ++steps_[i]->invocations;
  }
}

void Partition::Invoke(TfLiteContext* context) {
  if (!ready_) throw Unsupported("the nodes were not prepared for the shapes of their inputs");
  int threads = 1;
  for (const Group& group : schedule_.groups) threads = std::max(threads, group.threads);
  ThreadPool::Session session(pool_, threads);
  for (const Group& group : schedule_.groups) Run(context, group, session);
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

MemoryReport Partition::Memory() const {
  const std::lock_guard<std::mutex> lock(report_mutex_);
  return memory_;
}

}  // namespace tfkit
