// One node that the delegate runs. It reads up to two tensors, its first inputs, and writes one;
// other inputs are constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "abi/tflite.h"
#include "delegate/node_view.h"
#include "delegate/shape.h"

namespace tfkit {

// How the work of one run divides, and the memory that it takes besides the tensors.
struct Work {
  std::vector<std::int64_t> units;  // of each stage
  double microseconds = 0;          // roughly, on one thread
  std::size_t shared_words = 0;     // scratch for all threads
  std::size_t own_words = 0;        // scratch for each thread
  std::size_t packed_bytes = 0;     // constants in the kernel's order

  // What may run part by part behind another op while the data are in the cache. A tensor's parts
  // are as many equal pieces of its memory as the last stage has units; part i belongs to unit i.
  bool writes_parts = false;  // the last stage's unit i writes its part of the output, only
  bool reads_parts = false;   // unit i of the only stage reads its parts and writes its part, only
  bool in_place = false;      // the output may lie where an input lies
};

// What one run works on.
struct Buffers {
  const void* inputs[2];
  void* output;
  std::uint64_t* shared;
};

class Op {
 public:
  virtual ~Op() = default;

  // How many of the node's first inputs are tensors that it reads anew each time.
  virtual int activations() const { return 1; }
  // Takes up the input shapes, selects the kernel for it, and returns the output shape. Called
  // again when the shapes change. Throws Unsupported.
  virtual Shape Prepare(const std::vector<Shape>& inputs) = 0;
  // These after Prepare.
  virtual Work work() const = 0;
  virtual const char* kernel_name() const = 0;
  // Units [begin, end) of a stage; `own` is the thread's scratch. Stages come one after the other,
  // a stage's units in any order and on any threads.
  virtual void Run(const Buffers&, int stage, std::int64_t begin, std::int64_t end,
                   std::uint64_t* own) const = 0;
};

// Work that is one pass over memory.
Work PassOver(std::int64_t units, std::size_t bytes);

// Bytes per element; throws Unsupported for types that no op here has.
std::size_t SizeOf(TfLiteType);

// Of LCE's ops and tfkit's own.
bool IsOpName(const std::string& name);

// Checks everything about the node that does not depend on the shapes of its activations.
// `forced_kernel` may be empty. Throws Unsupported.
std::unique_ptr<Op> MakeOp(const NodeView&, const std::string& forced_kernel);

// Of the runtime's own ops.
std::unique_ptr<Op> MakeDensifyOp(const NodeView&);
std::unique_ptr<Op> MakeSparseConv2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeAddOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeQuantizeOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeDequantizeOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeBconv2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeBMaxPool2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeKBitConv2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeKBitDenseOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeKBitMaxPool2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeKBitQuantizeOp(const NodeView&, const std::string& forced_kernel);

}  // namespace tfkit
