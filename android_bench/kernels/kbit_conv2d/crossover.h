// Which road is the fastest: a pure function of shape, widths and CPU, from the measurements that
// README.md tells of.
#pragma once

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d {

Road Crossover(const Geometry&, const Cpu&);

// The `fit` of a kernel that can run the shape: kSuits on the road that Crossover takes, else kCan.
Fit FitOnRoad(const Geometry&, const Cpu&, Road);

}  // namespace tfkit::kbit_conv2d
