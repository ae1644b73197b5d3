#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {

Fit FitOnRoad(const Geometry& geometry, const Cpu& cpu, Road road) {
  return Crossover(geometry, cpu) == road ? Fit::kSuits : Fit::kCan;
}

}  // namespace tfkit::kbit_conv2d
