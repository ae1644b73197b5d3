#pragma once

#include "kernels/quantize/kernel.h"
#include "kernels/selection.h"

namespace tfkit::quantize {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/quantize/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Shape, kKernels>;

}  // namespace tfkit::quantize
