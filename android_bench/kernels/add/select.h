#pragma once

#include <string>
#include <vector>

#include "kernels/add/kernel.h"
#include "kernels/selection.h"

namespace tfkit::add {

// All kernels of this op, fastest first.
const std::vector<const Kernel*>& Kernels();

Selection<Kernel> Select(const Shape&, const Cpu&, const std::string& forced);

}  // namespace tfkit::add
