#include "kernels/window.h"

#include <algorithm>

namespace tfkit {

std::optional<WindowAxis> PlaceWindows(std::int64_t input, std::int64_t filter, std::int64_t stride,
                                       std::int64_t dilation, Padding padding) {
  // Pixel() adds an image's and a window's extent at most.
  constexpr std::int64_t kMax = std::int64_t{1} << 30;
  for (std::int64_t size : {input, filter, stride, dilation}) {
    if (size < 1 || size > kMax) return std::nullopt;
  }
  const std::int64_t extent = (filter - 1) * dilation + 1;
  if (extent > kMax) return std::nullopt;

  std::int64_t output = 0;
  std::int64_t pad = 0;
  if (padding == Padding::kSame) {
    output = (input + stride - 1) / stride;
    pad = std::max<std::int64_t>(0, (output - 1) * stride + extent - input) / 2;
  } else {
    if (extent > input) return std::nullopt;
    output = (input - extent) / stride + 1;
  }
  WindowAxis axis;
  axis.input = static_cast<int>(input);
  axis.filter = static_cast<int>(filter);
  axis.stride = static_cast<int>(stride);
  axis.dilation = static_cast<int>(dilation);
  axis.output = static_cast<int>(output);
  axis.pad_before = static_cast<int>(pad);
  return axis;
}

}  // namespace tfkit
