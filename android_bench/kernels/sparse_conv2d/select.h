#pragma once

#include "kernels/selection.h"
#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/sparse_conv2d/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
// Without a forced name, none where no kernel is faster than a runtime's dense one.
inline constexpr auto Select = SelectIn<Kernel, Shape, kKernels>;

// The fastest, whether it pays or not: of a node that was taken before its shape changed.
inline const Kernel* Fastest(const Cpu& cpu) {
  for (const Kernel* kernel : kKernels) {
    if (Has(cpu, kernel->isa)) return kernel;
  }
  return &kernels::reference;
}

}  // namespace tfkit::sparse_conv2d
