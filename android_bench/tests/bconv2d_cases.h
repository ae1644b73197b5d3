// Binary convolutions to test kernels on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "kernels/bconv2d/select.h"
#include "tests/compare.h"

namespace tfkit::testing {

struct Convolution {
  int batch = 1, height = 5, width = 5, channels_in = 32, channels_out = 4, groups = 1;
  int filter_height = 3, filter_width = 3, stride_y = 1, stride_x = 1, dilation_y = 1,
      dilation_x = 1;
  Padding padding = Padding::kSame;
  bool zero_padding = false;
};

std::ostream& operator<<(std::ostream&, const Convolution&);

bconv2d::Geometry GeometryOf(const Convolution&);

// Runs units a few at a time, the last ones first, as threads might.
template <typename T>
std::vector<T> Output(const bconv2d::Kernel& kernel, const bconv2d::Geometry& geometry,
                      const bconv2d::OutputTransform& transform,
                      const std::vector<std::uint32_t>& filter,
                      const std::vector<std::uint32_t>& input, std::size_t size) {
  const bconv2d::PackedFilter packed = kernel.pack(geometry.filter, filter.data());
  const bconv2d::Workspace words = kernel.workspace(geometry);
  Scratch shared(words.shared);
  Guarded<T> output(size);
  const bconv2d::Call call =
      bconv2d::MakeCall(geometry, transform, packed, input.data(), shared.data(), output.data());
  for (int stage = 0; stage < kernel.stages; ++stage) {
    Scratch own(words.own);
    const std::int64_t units = kernel.units(geometry, stage);
    const std::int64_t step = units / 3 + 1;
    for (std::int64_t begin = (units - 1) / step * step; begin >= 0; begin -= step) {
      kernel.run(call, stage, begin, std::min(units, begin + step), own.data());
    }
    own.Check();
  }
  shared.Check();
  return output.Take();
}

// One case, all kernels, all three outputs: sums against the oracle exactly, then the outputs'
// rounding against double arithmetic, then every kernel against the reference bit for bit.
void Check(const Convolution&, std::uint64_t stream);
void CheckAll(const std::vector<Convolution>&);

}  // namespace tfkit::testing
