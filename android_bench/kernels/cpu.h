// What kernel selection needs to know of a CPU. A plain value, so that tests can describe any CPU.
#pragma once

namespace tfkit {

struct Cpu {
  bool popcnt = false;  // x86-64: the POPCNT instruction
};

// The CPU this process runs on; asked once.
const Cpu& HostCpu();

}  // namespace tfkit
