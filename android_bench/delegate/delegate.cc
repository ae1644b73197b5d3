#include "delegate/delegate.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <new>

#include "delegate/claim.h"

namespace tfkit {
namespace {

void Report(TfLiteContext* context, const char* message) {
  context->ReportError(context, "TfkitDelegate: %s", message);
}

// Runs `work` and turns whatever it throws into one reported error: no exception may enter the
// runtime.
template <typename Work>
TfLiteStatus Guarded(TfLiteContext* context, Work work) {
  try {
    work();
    return kTfLiteOk;
  } catch (const std::bad_alloc&) {
    Report(context, "out of memory");
  } catch (const std::exception& error) {
    Report(context, error.what());
  }
  return kTfLiteError;
}

// What a delegate kernel's user_data points to. `init` cannot fail, so it leaves the failure to
// `prepare`.
struct KernelState {
  std::shared_ptr<Delegate> delegate;
  std::unique_ptr<Partition> partition;
  std::exception_ptr error;  // why there is no partition
};

void* Init(TfLiteContext* context, const char* buffer, std::size_t) {
  const auto& params = *reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  auto* state = new (std::nothrow) KernelState;
  if (!state) return nullptr;
  try {
    state->delegate = Delegate::Of(params.delegate).shared_from_this();
    Delegate& delegate = *state->delegate;
    state->partition = std::make_unique<Partition>(context, params, delegate.options(),
                                                   delegate.pool(), delegate.ArenaOf(context));
    delegate.Add(state->partition.get());
  } catch (...) {
    state->error = std::current_exception();
    state->partition.reset();
  }
  return state;
}

void Free(TfLiteContext*, void* user_data) {
  auto* state = static_cast<KernelState*>(user_data);
  if (state && state->partition) state->delegate->Remove(state->partition.get());
  delete state;
}

Partition& PartitionOf(const TfLiteNode* node) {
  auto* state = static_cast<KernelState*>(node->user_data);
  if (!state) throw std::bad_alloc();
  if (!state->partition) std::rethrow_exception(state->error);
  return *state->partition;
}

TfLiteStatus Prepare(TfLiteContext* context, TfLiteNode* node) {
  return Guarded(context, [&] { PartitionOf(node).Prepare(context); });
}

TfLiteStatus Invoke(TfLiteContext* context, TfLiteNode* node) {
  return Guarded(context, [&] { PartitionOf(node).Invoke(context); });
}

// One length and the nodes behind it, in memory laid out as TfLiteIntArray.
class NodeList {
 public:
  explicit NodeList(const std::vector<int>& nodes) : words_{static_cast<int>(nodes.size())} {
    words_.insert(words_.end(), nodes.begin(), nodes.end());
  }
  const TfLiteIntArray* get() const {
    return reinterpret_cast<const TfLiteIntArray*>(words_.data());
  }

 private:
  std::vector<int> words_;
};

TfLiteStatus ClaimNodes(TfLiteContext* context, TfLiteDelegate* handle) {
  return Guarded(context, [&] {
    const std::vector<int> claimed = NodesToClaim(context, Delegate::Of(handle).options());
    if (claimed.empty()) return;

    TfLiteRegistration registration{};
    registration.init = Init;
    registration.free = Free;
    registration.prepare = Prepare;
    registration.invoke = Invoke;
    registration.builtin_code = kTfLiteBuiltinDelegate;
    registration.custom_name = "TfkitDelegate";
    registration.version = 1;
    const NodeList nodes(claimed);
    if (context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, nodes.get(),
                                                       handle) != kTfLiteOk) {
      throw Unsupported("the runtime did not hand over the nodes");
    }
  });
}

}  // namespace

Delegate& Delegate::Create(Options options) {
  auto delegate = std::make_shared<Delegate>(std::move(options));
  delegate->self_ = delegate;
  return *delegate;
}

Delegate::Delegate(Options options) : options_(std::move(options)) {
  handle_.data_ = this;
  handle_.Prepare = ClaimNodes;
  handle_.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
}

void Delegate::Add(const Partition* partition) {
  const std::lock_guard<std::mutex> lock(mutex_);
  partitions_.push_back(partition);
}

void Delegate::Remove(const Partition* partition) {
  const std::lock_guard<std::mutex> lock(mutex_);
  partitions_.remove(partition);
}

std::shared_ptr<Arena> Delegate::ArenaOf(const TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto entry = arenas_.begin(); entry != arenas_.end();) {
    entry = entry->second.expired() ? arenas_.erase(entry) : std::next(entry);
  }
  std::shared_ptr<Arena> arena = arenas_[context].lock();
  if (!arena) {
    arena = std::make_shared<Arena>();
    arenas_[context] = arena;
  }
  return arena;
}

DelegateReport Delegate::Report() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  DelegateReport report;
  std::map<const Arena*, std::size_t> tensors;
  for (const Partition* partition : partitions_) {
    for (NodeReport& node : partition->Report()) report.nodes.push_back(std::move(node));
    const MemoryReport memory = partition->Memory();
    report.packed_bytes += memory.packed_bytes;
    if (!memory.arena) continue;
    std::size_t& largest = tensors[memory.arena];
    largest = std::max(largest, memory.tensor_bytes);
  }
  for (const auto& [arena, bytes] : tensors) {
    report.arena_bytes += bytes;
    report.workspace_bytes += arena->bytes() - bytes;
  }
  return report;
}

}  // namespace tfkit
