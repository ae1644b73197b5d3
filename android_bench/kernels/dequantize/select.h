#pragma once

#include "kernels/dequantize/kernel.h"
#include "kernels/selection.h"

namespace tfkit::dequantize {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/dequantize/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Shape, kKernels>;

}  // namespace tfkit::dequantize
