// LceDequantize: bits back to numbers, one value for a clear bit (+1) and one for a set bit (-1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu.h"
#include "kernels/fit.h"

namespace tfkit::dequantize {

struct Shape {
  std::size_t rows = 0;      // product of all axes but the last
  std::size_t channels = 0;  // last axis, unpacked
};

template <typename T>
struct Values {
  T clear;  // for +1
  T set;    // for -1
};

// The int8 codes of +1 and -1: zero point +- round(1 / scale), saturated.
Values<std::int8_t> Int8Values(float scale, int zero_point);

struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  // input [rows, PackedWords(channels)] -> output [rows, channels]
  void (*to_float)(const Shape&, const std::uint32_t* input, float* output);
  void (*to_int8)(const Shape&, const std::uint32_t* input, Values<std::int8_t>,
                  std::int8_t* output);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/dequantize/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::dequantize
