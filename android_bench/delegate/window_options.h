// What the two ops with windows have in common.
#pragma once

#include "delegate/shape.h"
#include "kernels/window.h"

namespace tfkit {

// The flatbuffer schema's Padding.
inline Padding PaddingOf(int code) {
  if (code == 0) return Padding::kSame;
  if (code == 1) return Padding::kValid;
  throw Unsupported("the option 'padding' is " + std::to_string(code) +
                    ", neither 0 (SAME) nor 1 (VALID)");
}

inline WindowAxis PlaceOrThrow(int input, int filter, int stride, int dilation, Padding padding) {
  const auto axis = PlaceWindows(input, filter, stride, dilation, padding);
  if (axis) return *axis;
  throw Unsupported("a window of " + std::to_string(filter) + " with stride " +
                    std::to_string(stride) + " and dilation " + std::to_string(dilation) +
                    " does not fit an input of " + std::to_string(input) + " pixels");
}

}  // namespace tfkit
