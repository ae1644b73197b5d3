// Convolutions of float32 images with filters that are mostly zeros, and dense layers as
// convolutions of single pixels:
//
//   y[p][o] = clamp(bias[o] + sum over the non-zero w[o][k] of w[o][k] * x[p][k])
//
// k runs over (tap row, tap column, channel), the order of a filter in TFLite; pixels around the
// image are zeros. The sum starts with the bias and takes k as it rises, each step one fused
// multiply-add: every kernel gives these bits. A weight of zero is no step, not even for an
// infinite x.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/sparse_conv2d/filter.h"
#include "kernels/window.h"

namespace tfkit::sparse_conv2d {

// What decides whether leaving out the zeros pays.
struct Shape {
  std::size_t pixels = 0;  // of the output, over the batch
  std::size_t depth = 0;   // taps x channels in
  std::size_t outputs = 0;
  std::size_t singles = 0;  // weights that are not zero, outside of blocks
  std::size_t blocks = 0;
};

inline Shape ShapeOf(const Filter& filter, std::size_t pixels) {
  return {pixels, filter.depth, filter.outputs(), filter.entries.size(), filter.blocks.size()};
}

struct Geometry {
  std::size_t batch = 0;
  WindowAxis y;
  WindowAxis x;
  std::size_t channels = 0;  // of the input

  std::size_t Pixels() const { return batch * y.output * x.output; }
  std::size_t Depth() const { return channels * y.filter * x.filter; }
};

struct Clamp {
  float low;
  float high;
};

struct Call {
  const Filter& filter;
  const float* bias;  // as many as outputs
  Clamp clamp;
};

// `vectors` of a tile that is a single pixel, its values one after the other.
constexpr int kOnePixel = 0;

// Works on a tile of pixels at a time, each weight on all of them.
struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  int lanes;              // pixels in a vector
  std::size_t most_deep;  // the depth up to which a tile has 4 vectors, beyond it 2
  // tile[k][p] = rows[p][k] for k < channels and p < vectors * lanes.
  void (*transpose)(const float* const* rows, std::size_t channels, int vectors, float* tile);
  // output[p][o] for p < pixels, from tile[k][p], k < depth, of `vectors` vectors or kOnePixel.
  void (*multiply)(const Call&, const float* tile, int vectors, int pixels, float* output);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/sparse_conv2d/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::sparse_conv2d
