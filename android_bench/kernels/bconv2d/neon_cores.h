// Which innermost loop suits which Arm core.
#pragma once

#include "kernels/cpu.h"

namespace tfkit::bconv2d::neon {

enum class Loop {
  kXnor,     // out-of-order cores; also those that are not known
  kInOrder,  // XNOR in an order that cores which keep to it run without waiting
  kLookup,   // out-of-order cores whose TBL of two registers is as fast as any instruction
};

// By the cores that the process may run on. Where those would take different loops, in a cluster of
// big and little ones, all take kXnor: the one that runs well everywhere, where lookups on an A55
// or an in-order schedule on an A76 would not. A process that is held to cores of one kind gets
// their loop.
Loop LoopFor(const Cpu&);

}  // namespace tfkit::bconv2d::neon
