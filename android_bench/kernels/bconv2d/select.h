#pragma once

#include "kernels/bconv2d/kernel.h"
#include "kernels/selection.h"

namespace tfkit::bconv2d {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/bconv2d/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Geometry, kKernels>;

}  // namespace tfkit::bconv2d
