#pragma once

#include <string>
#include <vector>

#include "kernels/kbit_conv2d/kernel.h"
#include "kernels/selection.h"

namespace tfkit::kbit_conv2d {

// All kernels of this op, fastest first.
const std::vector<const Kernel*>& Kernels();

Selection<Kernel> Select(const Geometry&, const Cpu&, const std::string& forced);

}  // namespace tfkit::kbit_conv2d
