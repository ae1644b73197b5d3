// The last step of the NEON kernels: sums of a tile of pixels to floats or levels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d::neon {

// The sum of pixel p, channel c and term t is
//   (filter[p][t][c] + window[p][t's activation plane] + factor * sums[t][c / 8][p][c % 8]) / (1 or
//   2).
struct Tile {
  std::size_t first;  // pixel of the output tensor
  int pixels;
  int pitch;  // pixels of `sums`
  const std::int32_t* sums;
  const std::int32_t* const* filter;
  const std::int32_t* window;
  std::int32_t factor;
  bool halves;
};

void Store(const Call&, const Tile&);

}  // namespace tfkit::kbit_conv2d::neon
