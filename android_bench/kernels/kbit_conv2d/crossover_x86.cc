#if defined(__x86_64__)
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {

Road Crossover(const Geometry&, const Cpu&) { return Road::kBitSerial; }

}  // namespace tfkit::kbit_conv2d
#endif
