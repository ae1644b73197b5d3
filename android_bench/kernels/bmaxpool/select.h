#pragma once

#include "kernels/bmaxpool/kernel.h"
#include "kernels/selection.h"

namespace tfkit::bmaxpool {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/bmaxpool/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Shape, kKernels>;

}  // namespace tfkit::bmaxpool
