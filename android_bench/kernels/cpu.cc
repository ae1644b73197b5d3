#include "kernels/cpu.h"

#include "kernels/arm_host.h"

namespace tfkit {
namespace {

Cpu DescribeHost() {
  Cpu cpu;
#if defined(__x86_64__)
  cpu.popcnt = __builtin_cpu_supports("popcnt");
  cpu.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
             __builtin_cpu_supports("bmi2");
  cpu.fma = __builtin_cpu_supports("fma");
  cpu.avx512f = __builtin_cpu_supports("avx512f");
  cpu.avx512bw = __builtin_cpu_supports("avx512bw");
  cpu.avx512dq = __builtin_cpu_supports("avx512dq");
  cpu.avx512vl = __builtin_cpu_supports("avx512vl");
  cpu.avx512vbmi = __builtin_cpu_supports("avx512vbmi");
  cpu.avx512vnni = __builtin_cpu_supports("avx512vnni");
  cpu.avx512vpopcntdq = __builtin_cpu_supports("avx512vpopcntdq");
#endif
  DescribeArmHost(cpu);
  return cpu;
}

}  // namespace

void Cpu::AddCoreType(std::uint32_t type) {
  for (int i = 0; i < core_type_count; ++i) {
    if (core_types[i] == type) return;
  }
  if (core_type_count == kMaxCoreTypes) {
    core_types[kMaxCoreTypes - 1] = 0;
  } else {
    core_types[core_type_count++] = type;
  }
}

bool Has(const Cpu& cpu, Isa isa) {
#if defined(__aarch64__)
  constexpr bool kArm = true;
#else
  constexpr bool kArm = false;
#endif
  const bool avx2 = cpu.avx2 && cpu.popcnt;
  const bool avx512 = avx2 && cpu.avx512f && cpu.avx512bw && cpu.avx512dq && cpu.avx512vl;
  switch (isa) {
    case Isa::kBaseline:
      return true;
    case Isa::kPopcnt:
      return cpu.popcnt;
    case Isa::kAvx2:
      return avx2;
    case Isa::kFma:
      return avx2 && cpu.fma;
    case Isa::kAvx512Bw:
      return avx512;
    case Isa::kAvx512Vnni:
      return avx512 && cpu.avx512vnni;
    case Isa::kAvx512Vpopcntdq:
      return avx512 && cpu.avx512vpopcntdq;
    case Isa::kNeon:
      return kArm;
    case Isa::kNeonDotprod:
      return kArm && cpu.dotprod;
    case Isa::kNeonI8mm:
      return kArm && cpu.dotprod && cpu.i8mm;
  }
  return false;
}

const Cpu& HostCpu() {
  static const Cpu cpu = DescribeHost();
  return cpu;
}

}  // namespace tfkit
