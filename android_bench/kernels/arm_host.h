// What 64-bit Arm Linux says of the CPU this process runs on.
#pragma once

#include "kernels/cpu.h"

namespace tfkit {

// Leaves the description as it is on other CPUs.
void DescribeArmHost(Cpu&);

}  // namespace tfkit
