#include "kernels/cpu.h"

namespace tfkit {
namespace {

Cpu DescribeHost() {
  Cpu cpu;
#if defined(__x86_64__)
  cpu.popcnt = __builtin_cpu_supports("popcnt");
#endif
  return cpu;
}

}  // namespace

const Cpu& HostCpu() {
  static const Cpu cpu = DescribeHost();
  return cpu;
}

}  // namespace tfkit
