// Where a sliding window lies along one axis of an image, as TensorFlow defines it.
#pragma once

#include <cstdint>
#include <optional>

#include "kernels/inlining.h"

namespace tfkit {

enum class Padding { kSame, kValid };

struct WindowAxis {
  int input = 0;       // pixels
  int filter = 0;      // taps
  int stride = 1;      // pixels from one window to the next
  int dilation = 1;    // pixels from one tap to the next
  int output = 0;      // windows
  int pad_before = 0;  // pixels by which the first window starts before the image

  // Pixel under tap `tap` of window `window`; outside the image when < 0 or >= input.
  TFKIT_ALWAYS_INLINE int Pixel(int window, int tap) const {
    return window * stride - pad_before + tap * dilation;
  }
  TFKIT_ALWAYS_INLINE bool Inside(int pixel) const { return pixel >= 0 && pixel < input; }
};

// Nothing if a size is not positive, no window fits (VALID), or a pixel's index would not fit an
// int.
std::optional<WindowAxis> PlaceWindows(std::int64_t input, std::int64_t filter, std::int64_t stride,
                                       std::int64_t dilation, Padding padding);

}  // namespace tfkit
