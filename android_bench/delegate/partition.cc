#include "delegate/partition.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace tfkit {
namespace {

std::string NodeName(int node, const std::string& op) {
  return "node " + std::to_string(node) + " (" + op + "): ";
}

// Time that a thread must have to itself before another one is worth its part in the wake-up.
constexpr double kMicrosecondsPerThread = 5;
constexpr int kMaxThreads = 256;

std::size_t Words(std::size_t bytes) { return (bytes + 7) / 8; }

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
      step->op = MakeOp(view, options.kernel);
      step->input = view.input_index(0);
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
  PlanThreads(context);
  PlanMemory();
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
  step.work = step.op->work();
  step.input_bytes = Elements(input_shape) * SizeOf(input.type);
  step.output_bytes = Elements(output_shape) * SizeOf(output.type);
  if (!produced.emplace(step.output, output_shape).second) {
    throw Unsupported("its output is written by another node too");
  }
  if (!IsInner(step.output) &&
      context->ResizeTensor(context, &output, NewIntArray(output_shape)) != kTfLiteOk) {
    throw Unsupported("the runtime cannot give its output the shape " + ToString(output_shape));
  }
}

void Partition::PlanThreads(const TfLiteContext* context) {
  const int wanted = options_.num_threads > 0
                         ? options_.num_threads
                         : std::min(context->recommended_num_threads, kMaxThreads);
  for (const auto& step : steps_) {
    const double worth = step->work.microseconds / kMicrosecondsPerThread;
    step->threads = worth < wanted ? std::max(1, static_cast<int>(worth)) : std::max(1, wanted);
  }
}

// Inner tensors live from the step that writes them to the last that reads them, scratch for one
// step.
void Partition::PlanMemory() {
  std::vector<Placement> pieces;
  std::vector<int> tensors;
  const int count = static_cast<int>(steps_.size());
  for (int i = 0; i < count; ++i) {
    const int tensor = steps_[i]->output;
    if (!IsInner(tensor)) continue;
    int last = i;
    for (int reader = i + 1; reader < count; ++reader) {
      if (steps_[reader]->input == tensor) last = reader;
    }
    pieces.push_back({Words(steps_[i]->output_bytes), i, last});
    tensors.push_back(tensor);
  }
  MemoryReport memory{arena_.get(), Place(pieces) * sizeof(std::uint64_t)};
  for (int i = 0; i < count; ++i) {
    const Work& work = steps_[i]->work;
    memory.packed_bytes += work.packed_bytes;
    pieces.push_back(
        {AlignedWords(work.shared_words) + steps_[i]->threads * AlignedWords(work.own_words), i,
         i});
  }
  arena_->Reserve(this, Place(pieces));
  places_.clear();
  for (std::size_t i = 0; i < tensors.size(); ++i) places_[tensors[i]] = pieces[i].offset;
  for (int i = 0; i < count; ++i) steps_[i]->scratch = pieces[tensors.size() + i].offset;
  const std::lock_guard<std::mutex> lock(report_mutex_);
  memory_ = memory;
}

bool Partition::IsInner(int tensor) const {
  return std::find(outputs_.begin(), outputs_.end(), tensor) == outputs_.end();
}

void* Partition::Data(TfLiteContext* context, int tensor, std::size_t bytes) {
  const auto inner = places_.find(tensor);
  if (inner != places_.end()) return arena_->data() + inner->second;
  const TfLiteTensor& outer = context->tensors[tensor];
  if (!outer.data || outer.bytes < bytes ||
      reinterpret_cast<std::uintptr_t>(outer.data) % SizeOf(outer.type) != 0) {
    throw Unsupported("tensor " + std::to_string(tensor) +
                      " has no memory, too little, or misaligned memory");
  }
  return outer.data;
}

void Partition::RunStep(TfLiteContext* context, const Step& step, ThreadPool::Session& session) {
  std::uint64_t* const scratch = arena_->data() + step.scratch;
  struct Stage {
    const Op& op;
    const Buffers buffers;
    std::uint64_t* const own;
    const std::size_t own_words;
    int number;
  } stage = {*step.op,
             {Data(context, step.input, step.input_bytes),
              Data(context, step.output, step.output_bytes), scratch},
             scratch + AlignedWords(step.work.shared_words),
             AlignedWords(step.work.own_words),
             0};
  const auto body = [](void* stage, int thread, std::int64_t begin, std::int64_t end) {
    const Stage& s = *static_cast<const Stage*>(stage);
    s.op.Run(s.buffers, s.number, begin, end, s.own + thread * s.own_words);
  };
  for (std::int64_t units : step.work.units) {
    session.Run(step.threads, units, &stage, body);
    ++stage.number;
  }
}

void Partition::Invoke(TfLiteContext* context) {
  if (!ready_) throw Unsupported("the nodes were not prepared for the shapes of their inputs");
  int threads = 1;
  for (const auto& step : steps_) threads = std::max(threads, step->threads);
  ThreadPool::Session session(pool_, threads);
  for (const auto& step : steps_) {
    if (!options_.profile) {
      RunStep(context, *step, session);
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    RunStep(context, *step, session);
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

MemoryReport Partition::Memory() const {
  const std::lock_guard<std::mutex> lock(report_mutex_);
  return memory_;
}

}  // namespace tfkit
