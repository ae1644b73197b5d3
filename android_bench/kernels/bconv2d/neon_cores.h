// Which innermost loop suits which Arm core.
#pragma once

#include "kernels/cpu.h"

namespace tfkit::bconv2d::neon {

enum class Loop {
  kXnor,     // out-of-order cores; also those that are not known
  kInOrder,  // XNOR in an order that cores which keep to it run without waiting
  kLookup,   // out-of-order cores whose TBL of two registers is as fast as any instruction
};

// By the cores that the process may run on. The big ones decide: work is shared out in small
// pieces, so that those do most of it.
Loop LoopFor(const Cpu&);

}  // namespace tfkit::bconv2d::neon
