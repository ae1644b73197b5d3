// What a run costs, roughly, so that a delegate can tell how many threads are worth starting.
#pragma once

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d {

// Of one thread.
double RoughMicroseconds(const Kernel&, const Geometry&);

}  // namespace tfkit::kbit_conv2d
