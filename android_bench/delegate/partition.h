// A run of nodes that the runtime has handed over as one: their ops, in order, and the tensors
// between them, for which the runtime allocates nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "abi/tflite.h"
#include "delegate/arena.h"
#include "delegate/group_run.h"
#include "delegate/op.h"
#include "delegate/options.h"
#include "delegate/schedule.h"
#include "delegate/thread_pool.h"
#include "delegate/unpack_weights.h"

namespace tfkit {

// What is known of one planned node.
struct NodeReport {
  int node = 0;
  std::string op;
  std::string kernel;
  std::uint64_t invocations = 0;  // counted when profiling
  std::uint64_t nanoseconds = 0;  // total of the invocations
};

// Bytes that a partition takes, besides the tensors that the runtime allocates.
struct MemoryReport {
  const Arena* arena = nullptr;
  std::size_t tensor_bytes = 0;  // its share of the arena if it held tensors alone
  std::size_t packed_bytes = 0;
};

class Partition {
 public:
  // Throws Unsupported, its message naming the node. The pool must outlive this.
  Partition(TfLiteContext*, const TfLiteDelegateParams&, const Options&, ThreadPool&,
            std::shared_ptr<Arena>);
  ~Partition();

  // Shapes of the outputs, kernels and inner buffers, from the shapes that the inputs have now.
  void Prepare(TfLiteContext*);
  void Invoke(TfLiteContext*);
  // May be called from another thread.
  std::vector<NodeReport> Report() const;
  MemoryReport Memory() const;

 private:
  struct Step {
    int node = 0;
    std::string name;
    std::unique_ptr<Op> op;
    std::vector<int> inputs;  // tensors
    int output = 0;
    std::vector<std::size_t> input_bytes;
    std::size_t output_bytes = 0;
    Work work;
    std::atomic<std::uint64_t> invocations{0};
    std::atomic<std::uint64_t> nanoseconds{0};
  };

  void PrepareStep(TfLiteContext*, Step&, std::map<int, Shape>& produced);
  int Threads(const TfLiteContext*) const;
  void Plan(int threads);
  bool IsInner(int tensor) const;
  Operand OperandOf(TfLiteContext*, int tensor, std::size_t bytes, std::int64_t parts) const;
  void Run(TfLiteContext*, const Group&, ThreadPool::Session&);

  const Options options_;
  ThreadPool& pool_;
  const std::shared_ptr<Arena> arena_;
  bool ready_ = false;  // the last Prepare succeeded
  std::vector<std::unique_ptr<UnpackedWeights>> unpacked_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<int> outputs_;  // tensors that others read
  Schedule schedule_;
  mutable std::mutex report_mutex_;
  std::vector<std::string> kernels_;  // of the steps; empty before Prepare
  MemoryReport memory_;
};

}  // namespace tfkit
