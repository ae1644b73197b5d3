// The innermost loop in plain C++; see bit_serial.h for why its namespace has no name.
#pragma once

#include "kernels/kbit_conv2d/bit_serial.h"

namespace tfkit::kbit_conv2d {
namespace {

struct PlainCounter {
  static constexpr int Pixels(int) { return 2; }

  template <int kPixels, int kPlanes>
  static void Count(const std::uint32_t* patch, const std::uint32_t* weights, int depth,
                    std::int32_t (&shared)[kPixels][kPlanes][kBlock]) {
    std::memset(shared, 0, sizeof shared);
    for (int k = 0; k < depth; ++k, patch += kPixels * kPlanes, weights += kBlock) {
      for (int p = 0; p < kPixels; ++p) {
        for (int j = 0; j < kPlanes; ++j) {
          for (int c = 0; c < kBlock; ++c) {
            shared[p][j][c] += __builtin_popcount(patch[p * kPlanes + j] & weights[c]);
          }
        }
      }
    }
  }
};

}  // namespace
}  // namespace tfkit::kbit_conv2d
