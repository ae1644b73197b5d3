// What a node of TfkitKBitConv2D or TfkitKBitDense says of itself, checked.
#pragma once

#include "delegate/node_view.h"
#include "kernels/kbit_conv2d/params.h"
#include "kernels/window.h"

namespace tfkit {

struct KBitOptions {
  kbit_conv2d::Filter filter;
  int stride_height = 0;
  int stride_width = 0;
  int dilation_height = 0;
  int dilation_width = 0;
  int pad_bits = -1;
  Padding padding = Padding::kValid;
  int output_planes = 0;  // with levels as output
};

// Dense layers have no strides; `levels`: the output are those of a quantizer. Throws Unsupported,
// also where the sums that kernels add up could leave 32 bits.
KBitOptions ReadKBitOptions(const NodeView&, bool dense, bool levels);

}  // namespace tfkit
