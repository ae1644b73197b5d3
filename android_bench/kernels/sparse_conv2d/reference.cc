// The definition, with a vector of one pixel.
#include <cmath>

#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {
namespace {

void Transpose(const float* const* rows, std::size_t channels, int vectors, float* tile) {
  for (std::size_t k = 0; k < channels; ++k) {
    for (int p = 0; p < vectors; ++p) tile[k * vectors + p] = rows[p][k];
  }
}

float Sum(const Call& call, std::size_t o, const float* x, int width) {
  const Filter& filter = call.filter;
  float sum = call.bias[o];
  for (std::size_t i = filter.starts[o]; i < filter.starts[o + 1]; ++i) {
    const Entry& entry = filter.entries[i];
    sum = std::fma(entry.weight, x[entry.k * width], sum);
  }
  const std::size_t group = o / kGroup;
  if (!filter.StartsBlocks(group * kGroup)) return sum;
  for (std::size_t i = filter.block_starts[group]; i < filter.block_starts[group + 1]; ++i) {
    const Block& block = filter.blocks[i];
    sum = std::fma(block.weights[o % kGroup], x[block.k * width], sum);
  }
  return sum;
}

void Multiply(const Call& call, const float* tile, int vectors, int pixels, float* output) {
  const int width = vectors == kOnePixel ? 1 : vectors;
  for (int p = 0; p < pixels; ++p) {
    for (std::size_t o = 0; o < call.filter.outputs(); ++o) {
      float sum = Sum(call, o, tile + p, width);
      // NaN stays.
      if (sum < call.clamp.low) sum = call.clamp.low;
      if (sum > call.clamp.high) sum = call.clamp.high;
      *output++ = sum;
    }
  }
}

// Without the zeros, but no faster than a runtime's own dense kernels.
Fit Suits(const Shape&, const Cpu&) { return Fit::kCan; }

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, 1, 0, Transpose, Multiply};

}  // namespace tfkit::sparse_conv2d
