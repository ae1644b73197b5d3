#pragma once

#include "kernels/kbit_maxpool/kernel.h"
#include "kernels/selection.h"

namespace tfkit::kbit_maxpool {

inline constexpr const Kernel* kKernels[] = {
#define TFKIT_KERNEL(name) &kernels::name,
#include "kernels/kbit_maxpool/kernels.inc"
#undef TFKIT_KERNEL
};
inline constexpr auto Kernels = ListOf<Kernel, kKernels>;
inline constexpr auto Select = SelectIn<Kernel, Shape, kKernels>;

}  // namespace tfkit::kbit_maxpool
