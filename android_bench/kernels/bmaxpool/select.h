#pragma once

#include <string>
#include <vector>

#include "kernels/bmaxpool/kernel.h"
#include "kernels/selection.h"

namespace tfkit::bmaxpool {

// All kernels of this op, fastest first.
const std::vector<const Kernel*>& Kernels();

Selection<Kernel> Select(const Shape&, const Cpu&, const std::string& forced);

}  // namespace tfkit::bmaxpool
