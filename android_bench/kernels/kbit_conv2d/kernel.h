// TfkitKBitConv2D and TfkitKBitDense: convolutions of values of few bits. README.md has the format.
//
// Each value is an integer, or one integer a plane (`Code`). With the sums over a window's taps
// inside the image and their channels
//
//   one integer:  y = float(sum w a) * scale[c] + bias[c]
//   bases:        y = (0 + float(sum w_0 a_0) * scale[0][c] + float(sum w_0 a_1) * scale[1][c] ...)
//   + bias[c],
//                 term (i, j) of weight plane i and activation plane j at i * activations.planes +
//                 j
//
// Sums are exact in int32 (delegate/kbit_conv2d_op.cc refuses what could leave it); each float
// operation rounds once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/kbit_conv2d/params.h"

namespace tfkit::kbit_conv2d {

// Channels of an output block: scales, biases and tap sums are readable up to a multiple of it.
constexpr int kBlock = 16;

TFKIT_ALWAYS_INLINE constexpr std::size_t PaddedChannels(int channels) {
  return (std::size_t(channels) + kBlock - 1) / kBlock * kBlock;
}

// The filter in the order in which a kernel reads it.
struct PackedFilter {
  Buffer words;
  // int32 [taps + 1][planes][PaddedChannels]: set weight bits of each tap, at last of all; of
  // kernels that use it.
  Buffer tap_bits;
};

struct Workspace {
  std::size_t shared = 0;
  std::size_t own = 0;
};

struct Call {
  const Geometry& geometry;
  const std::uint64_t* weights;
  const std::int32_t* tap_bits;
  const float* scales;         // [Terms()][PaddedChannels]
  const float* bias;           // [PaddedChannels]
  const std::uint32_t* input;  // [batch, y.input, x.input, InputWords()]
  float* output;               // [batch, y.output, x.output, channels_out]
};

// A run is units [0, OutputRows()), in any order and on any threads; unit i writes output row i.
struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Geometry&, const Cpu&);
  // From the stored weights, as many words as StoredBits() fill.
  PackedFilter (*pack)(const Filter&, const std::uint32_t* stored);
  Workspace (*workspace)(const Geometry&);
  void (*run)(const Call&, std::int64_t begin, std::int64_t end, std::uint64_t* own);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/kbit_conv2d/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::kbit_conv2d
