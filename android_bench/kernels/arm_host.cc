#include "kernels/arm_host.h"

#if defined(__aarch64__)
#include <sched.h>
#include <sys/auxv.h>

#include <algorithm>

#include "kernels/arm_cores.h"

namespace tfkit {
namespace {

// Linux's arch/arm64/include/uapi/asm/hwcap.h; the C library's headers may be older.
constexpr unsigned long kHwcapCpuid = 1ul << 11;
constexpr unsigned long kHwcapAsimdDp = 1ul << 20;
constexpr unsigned long kHwcap2I8mm = 1ul << 13;
constexpr unsigned long kHwcap2Key = 26;

std::vector<int> AllowedProcessors() {
  constexpr int kMost = 8192;
  cpu_set_t* allowed = CPU_ALLOC(kMost);
  if (allowed == nullptr) return {};
  const std::size_t bytes = CPU_ALLOC_SIZE(kMost);
  CPU_ZERO_S(bytes, allowed);
  std::vector<int> processors;
  if (sched_getaffinity(0, bytes, allowed) == 0) {
    for (int processor = 0; processor < kMost; ++processor) {
      if (CPU_ISSET_S(processor, bytes, allowed)) processors.push_back(processor);
    }
  }
  CPU_FREE(allowed);
  return processors;
}

// Of the core that runs this; Linux answers for the register that only it may read.
std::uint32_t CurrentCoreType() {
  std::uint64_t midr;
  asm("mrs %0, midr_el1" : "=r"(midr));
  return CoreType(midr);
}

}  // namespace

void DescribeArmHost(Cpu& cpu) {
  const unsigned long hwcap = getauxval(AT_HWCAP);
  cpu.dotprod = (hwcap & kHwcapAsimdDp) != 0;
  cpu.i8mm = (getauxval(kHwcap2Key) & kHwcap2I8mm) != 0;
  std::vector<std::uint32_t> types = ReadCoreTypes(AllowedProcessors(), "");
  const bool nothing = std::all_of(types.begin(), types.end(), [](auto type) { return type == 0; });
  // Where no file is to be read the other cores are taken for this one's kind.
  if (nothing && (hwcap & kHwcapCpuid) != 0) types = {CurrentCoreType()};
  for (const std::uint32_t type : types) cpu.AddCoreType(type);
}

}  // namespace tfkit
#else
namespace tfkit {
void DescribeArmHost(Cpu&) {}
}  // namespace tfkit
#endif
