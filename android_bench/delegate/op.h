// One node that the delegate runs. All its ops read one tensor and write one; other inputs are
// constants.
#pragma once

#include <memory>
#include <string>

#include "abi/tflite.h"
#include "delegate/node_view.h"
#include "delegate/shape.h"

namespace tfkit {

class Op {
 public:
  virtual ~Op() = default;

  // Takes up an input shape, selects the kernel for it, and returns the output shape. Called again
  // when the shape changes. Throws Unsupported.
  virtual Shape Prepare(const Shape& input) = 0;
  virtual void Run(const void* input, void* output) = 0;
  // The selected kernel; after Prepare.
  virtual const char* kernel_name() const = 0;
};

// Bytes per element; throws Unsupported for types that no op here has.
std::size_t SizeOf(TfLiteType);

bool IsOpName(const std::string& name);

// Checks everything about the node that does not depend on the shapes of its activations.
// `forced_kernel` may be empty. Throws Unsupported.
std::unique_ptr<Op> MakeOp(const NodeView&, const std::string& forced_kernel);

std::unique_ptr<Op> MakeQuantizeOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeDequantizeOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeBconv2dOp(const NodeView&, const std::string& forced_kernel);
std::unique_ptr<Op> MakeBMaxPool2dOp(const NodeView&, const std::string& forced_kernel);

}  // namespace tfkit
