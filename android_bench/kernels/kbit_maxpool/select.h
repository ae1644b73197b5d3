#pragma once

#include <string>
#include <vector>

#include "kernels/kbit_maxpool/kernel.h"
#include "kernels/selection.h"

namespace tfkit::kbit_maxpool {

// All kernels of this op, fastest first.
const std::vector<const Kernel*>& Kernels();

Selection<Kernel> Select(const Shape&, const Cpu&, const std::string& forced);

}  // namespace tfkit::kbit_maxpool
