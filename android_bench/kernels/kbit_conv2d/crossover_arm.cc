#if defined(__aarch64__)
#include "kernels/bconv2d/neon_cores.h"
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {

Road Crossover(const Geometry& geometry, const Cpu& cpu) {
  (void)geometry;
  (void)cpu;
  return Road::kBitSerial;
}

}  // namespace tfkit::kbit_conv2d
#endif
