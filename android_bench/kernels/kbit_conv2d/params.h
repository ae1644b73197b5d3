// What a convolution of few-bit values is computed from: filter, geometry, the numbers bits stand
// for.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/inlining.h"
#include "kernels/window.h"

namespace tfkit::kbit_conv2d {

constexpr int kMaxPlanes = 8;            // of weights
constexpr int kMaxActivationPlanes = 4;  // and so many at most of activations

// What the bits b_0, b_1, ... of one value stand for, before the float scales.
struct Code {
  int planes = 1;
  int step = 1;
  int lowest = 0;

  // Uniform grids: lowest + step * (b_0 + 2 b_1 + ...).
  TFKIT_ALWAYS_INLINE int OfIndex(unsigned bits) const {
    return lowest + step * static_cast<int>(bits);
  }
  // Bases: each bit for itself.
  TFKIT_ALWAYS_INLINE int OfBit(unsigned bits, int plane) const {
    return lowest + step * static_cast<int>(bits >> plane & 1);
  }
};

struct Filter {
  int channels_in = 0;
  int channels_out = 0;
  int height = 0;
  int width = 0;
  Code weights;
  Code activations;
  // Whether every plane has a scale of its own (LQ-Net, ABC-Net, TTQ) or the planes make one
  // integer.
  bool bases = false;

  TFKIT_ALWAYS_INLINE int Taps() const { return height * width; }
  TFKIT_ALWAYS_INLINE int PlaneWords() const { return static_cast<int>(PackedWords(channels_in)); }
  // Of one pixel of the input.
  TFKIT_ALWAYS_INLINE int InputWords() const { return activations.planes * PlaneWords(); }
  // Products in a sum.
  TFKIT_ALWAYS_INLINE std::int64_t Depth() const { return std::int64_t{Taps()} * channels_in; }
  // Integer sums of one output, each with a float scale.
  TFKIT_ALWAYS_INLINE int Terms() const { return bases ? weights.planes * activations.planes : 1; }
  // Bits of the stored weights: [planes][channels_out][height][width][channels_in].
  TFKIT_ALWAYS_INLINE std::int64_t StoredBits() const {
    return std::int64_t{weights.planes} * channels_out * Depth();
  }
};

struct Geometry {
  Filter filter;
  int batch = 0;
  WindowAxis y;
  WindowAxis x;
  // The bits that pixels outside the image hold in every channel; negative: such taps add nothing.
  int pad_bits = -1;

  TFKIT_ALWAYS_INLINE std::int64_t OutputRows() const { return std::int64_t{batch} * y.output; }
};

}  // namespace tfkit::kbit_conv2d
