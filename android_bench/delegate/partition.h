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
#include "delegate/op.h"
#include "delegate/options.h"

namespace tfkit {

// What is known of one planned node.
struct NodeReport {
  int node = 0;
  std::string op;
  std::string kernel;
  std::uint64_t invocations = 0;  // counted when profiling
  std::uint64_t nanoseconds = 0;  // total of the invocations
};

class Partition {
 public:
  // Throws Unsupported, its message naming the node.
  Partition(TfLiteContext*, const TfLiteDelegateParams&, const Options&);

  // Shapes of the outputs, kernels and inner buffers, from the shapes that the inputs have now.
  void Prepare(TfLiteContext*);
  void Invoke(TfLiteContext*);
  // May be called from another thread.
  std::vector<NodeReport> Report() const;

 private:
  struct Step {
    int node = 0;
    std::string name;
    std::unique_ptr<Op> op;
    int input = 0;  // tensors
    int output = 0;
    std::size_t input_bytes = 0;
    std::size_t output_bytes = 0;
    std::atomic<std::uint64_t> invocations{0};
    std::atomic<std::uint64_t> nanoseconds{0};
  };

  void PrepareStep(TfLiteContext*, Step&, std::map<int, Shape>& produced);
  void* Data(TfLiteContext*, int tensor, std::size_t bytes);

  const bool profile_;
  bool ready_ = false;  // the last Prepare succeeded
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<int> outputs_;                           // tensors that others read
  std::map<int, std::vector<std::uint64_t>> buffers_;  // of the tensors that no one else reads
  mutable std::mutex report_mutex_;
  std::vector<std::string> kernels_;  // of the steps; empty before Prepare
};

}  // namespace tfkit
