#include "kernels/kbit_conv2d/count.h"

namespace tfkit::kbit_conv2d {

const Kernel kernels::portable = {"portable", Isa::kBaseline,  BlocksFit,
                                  PackBlocks, BlocksWorkspace, RunBitSerial<PlainCounter>};

}  // namespace tfkit::kbit_conv2d
