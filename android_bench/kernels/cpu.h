// What kernel selection needs to know of a CPU. A plain value, so that tests can describe any CPU.
#pragma once

#include <cstdint>

namespace tfkit {

struct Cpu {
  // x86-64; set only where the operating system saves the registers too.
  bool popcnt = false;
  bool avx2 = false;  // with BMI1 and BMI2
  bool fma = false;
  bool avx512f = false;
  bool avx512bw = false;
  bool avx512dq = false;
  bool avx512vl = false;
  bool avx512vbmi = false;
  bool avx512vnni = false;
  bool avx512vpopcntdq = false;

  // 64-bit Arm; NEON is part of the baseline.
  bool dotprod = false;
  bool i8mm = false;
  // The kinds of core that this process may run on, as MIDR_EL1's implementer << 12 | part, each
  // once; 0 stands for cores of which nothing is known, and with none nothing is known of any.
  static constexpr int kMaxCoreTypes = 8;
  std::uint32_t core_types[kMaxCoreTypes] = {};
  int core_type_count = 0;

  // Beyond kMaxCoreTypes kinds, which no machine has, the last one becomes unknown.
  void AddCoreType(std::uint32_t type);
};

// What a kernel's file is compiled for: kernels/CMakeLists.txt has the flags under these names.
enum class Isa {
  kBaseline,         // any x86-64, any armv8-a
  kPopcnt,           // popcnt*.cc
  kAvx2,             // avx2*.cc
  kFma,              // fma*.cc
  kAvx512Bw,         // avx512bw*.cc
  kAvx512Vnni,       // avx512vnni*.cc
  kAvx512Vpopcntdq,  // avx512vpopcntdq*.cc
  kNeon,             // neon*.cc
  kNeonDotprod,      // neondotprod*.cc
  kNeonI8mm,         // neoni8mm*.cc
};

bool Has(const Cpu&, Isa);

// The CPU this process runs on; asked once.
const Cpu& HostCpu();

}  // namespace tfkit
