#pragma once

#include "kernels/kbit_conv2d/kernel.h"
#include "kernels/selection.h"

namespace tfkit::kbit_conv2d {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/kbit_conv2d/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Geometry, kKernels>;

}  // namespace tfkit::kbit_conv2d
