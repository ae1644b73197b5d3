// TfkitUnpackWeights: a kernel of one of the runtime's own ops, stored in the bits of its values.
// unpack_weights.md has the format.
//
// It is unpacked once, when the partition is made, and the tensor is then a constant like those of
// the file. XNNPACK, which looks for constants after this delegate has been applied, packs it for
// its own kernels: convolutions, depthwise and transposed ones and dense layers run as fast as they
// do on weights that the file holds in full.
#pragma once

#include <cstddef>

#include "abi/tflite.h"
#include "delegate/node_view.h"
#include "kernels/buffer.h"

namespace tfkit {

class UnpackedWeights {
 public:
  static bool IsName(const char* op_name);

  // Checks the node, all that the file says about it included, and unpacks nothing. Throws
  // Unsupported.
  static void Check(const NodeView&);

  // Makes the node's output a constant, for as long as this lives. Throws Unsupported.
  UnpackedWeights(TfLiteContext*, const NodeView&);
  ~UnpackedWeights();
  UnpackedWeights(const UnpackedWeights&) = delete;
  UnpackedWeights& operator=(const UnpackedWeights&) = delete;

  std::size_t bytes() const { return values_.bytes(); }

 private:
  TfLiteContext* context_;
  int output_;
  Buffer values_;
};

}  // namespace tfkit
