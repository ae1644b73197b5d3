// LceQuantize: the signs of numbers, bitpacked. A bit is set where x < zero point, so +0.0, -0.0
// and NaN give +1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu.h"
#include "kernels/fit.h"

namespace tfkit::quantize {

struct Shape {
  std::size_t rows = 0;      // product of all axes but the last
  std::size_t channels = 0;  // last axis
};

struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  // input [rows, channels] -> output [rows, PackedWords(channels)]
  void (*from_float)(const Shape&, const float* input, std::uint32_t* output);
  void (*from_int8)(const Shape&, const std::int8_t* input, int zero_point, std::uint32_t* output);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/quantize/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::quantize
