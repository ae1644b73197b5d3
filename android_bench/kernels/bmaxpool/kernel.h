// LceBMaxPool2d: the maximum of +-1 over a window is -1 only where all are -1, so it is the AND of
// the bits. Pixels outside the image do not take part.
#pragma once

#include <cstdint>

#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/inlining.h"
#include "kernels/window.h"

namespace tfkit::bmaxpool {

struct Shape {
  int batch = 0;
  WindowAxis y;
  WindowAxis x;
  int words = 0;  // PackedWords(channels)

  TFKIT_ALWAYS_INLINE std::int64_t OutputRows() const { return std::int64_t{batch} * y.output; }
};

struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  // input [batch, y.input, x.input, words] -> rows [begin, end) of output [batch * y.output,
  // x.output, words]; rows are independent, so threads can share them out.
  void (*run)(const Shape&, const std::uint32_t* input, std::uint32_t* output, std::int64_t begin,
              std::int64_t end);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/bmaxpool/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::bmaxpool
