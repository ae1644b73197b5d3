#include "kernels/kbit_conv2d/count.h"

namespace tfkit::kbit_conv2d {

const Kernel kernels::portable = {"portable", Isa::kBaseline, Road::kBitSerial,
                                  BlocksFit,  PackBlocks,     BlocksWorkspace,
                                  1,          BlocksUnits,    RunBitSerial<PlainCounter>};

}  // namespace tfkit::kbit_conv2d
