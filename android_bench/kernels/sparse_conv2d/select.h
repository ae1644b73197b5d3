#pragma once

#include <string>
#include <vector>

#include "kernels/selection.h"
#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

// All kernels of this op, fastest first.
const std::vector<const Kernel*>& Kernels();

// Without a forced name, none where no kernel is faster than a runtime's dense one.
Selection<Kernel> Select(const Shape&, const Cpu&, const std::string& forced);

// The fastest, whether it pays or not: of a node that was taken before its shape changed.
const Kernel* Fastest(const Cpu&);

}  // namespace tfkit::sparse_conv2d
