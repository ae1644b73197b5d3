// TfkitKBitMaxPool2D: the maximum of levels over a window. A value's bits stand for the level that
// has them (for level 0 where none has); pixels outside the image do not take part. In a channel
// that falls it is the minimum: its levels run against the values that the pool was declared on.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/inlining.h"
#include "kernels/window.h"

namespace tfkit::kbit_maxpool {

constexpr int kMaxPlanes = 4;
constexpr int kMaxLevels = 1 << kMaxPlanes;

struct Shape {
  int batch = 0;
  WindowAxis y;
  WindowAxis x;
  int channels = 0;
  int planes = 0;

  TFKIT_ALWAYS_INLINE std::int64_t OutputRows() const { return std::int64_t{batch} * y.output; }
  TFKIT_ALWAYS_INLINE int PlaneWords() const { return static_cast<int>(PackedWords(channels)); }
  TFKIT_ALWAYS_INLINE int PixelWords() const { return planes * PlaneWords(); }
};

struct Levels {
  int count = 0;                           // 2 to kMaxLevels
  const std::uint8_t* bits = nullptr;      // [count], all different
  const std::uint32_t* falling = nullptr;  // [PlaneWords()], a bit for each channel
};

struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  // input [batch, y.input, x.input, PixelWords()] -> rows [begin, end) of output [batch * y.output,
  // x.output, PixelWords()], whose unused bits are clear; rows are independent.
  void (*run)(const Shape&, const Levels&, const std::uint32_t* input, std::uint32_t* output,
              std::int64_t begin, std::int64_t end);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/kbit_maxpool/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::kbit_maxpool
