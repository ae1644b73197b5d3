// The portable loop with x86-64's POPCNT, which the baseline instruction set lacks.
#include "kernels/kbit_conv2d/count.h"

#if !defined(__POPCNT__)
#error "kernels/CMakeLists.txt compiles this file with -mpopcnt"
#endif

namespace tfkit::kbit_conv2d {

const Kernel kernels::popcnt = {"popcnt",  Isa::kPopcnt, Road::kBitSerial,
                                BlocksFit, PackBlocks,   BlocksWorkspace,
                                1,         BlocksUnits,  RunBitSerial<PlainCounter>};

}  // namespace tfkit::kbit_conv2d
