// TfkitKBitQuantize: floats to bit planes. A value's level is the number of thresholds that it
// reaches, x >= t; the level's bits go to the planes. NaN reaches none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bits.h"
#include "kernels/cpu.h"
#include "kernels/fit.h"

namespace tfkit::kbit_quantize {

constexpr int kMaxPlanes = 4;
constexpr int kMaxThresholds = (1 << kMaxPlanes) - 1;

struct Shape {
  std::size_t rows = 0;
  int channels = 0;
  int planes = 0;

  std::size_t RowWords() const { return std::size_t(planes) * PackedWords(channels); }
};

struct Levels {
  int thresholds = 0;
  const float* threshold = nullptr;    // [thresholds], rising
  const std::uint8_t* bits = nullptr;  // [thresholds + 1]
};

// Rows [begin, end) of input [rows, channels] to output [rows, planes, words]: bit c % 32 of word c
// / 32 of a plane belongs to channel c; the unused bits of a last word are clear.
struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  void (*run)(const Shape&, const Levels&, const float* input, std::uint32_t* output,
              std::size_t begin, std::size_t end);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/kbit_quantize/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::kbit_quantize
