// Sums of two tensors of one shape, element by element: what TFLite's ADD without broadcasting or
// activation is to float32. IEEE addition leaves no room, so every implementation gives these bits.
#pragma once

#include <cstddef>

#include "kernels/cpu.h"
#include "kernels/fit.h"

namespace tfkit::add {

struct Shape {
  std::size_t elements = 0;
};

struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Shape&, const Cpu&);
  // sums[i] = a[i] + b[i]; sums may be a or b.
  void (*floats)(const Shape&, const float* a, const float* b, float* sums);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/add/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::add
