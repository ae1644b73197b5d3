#include "kernels/bconv2d/neon_cores.h"

namespace tfkit::bconv2d::neon {
namespace {

constexpr std::uint32_t Core(std::uint32_t implementer, std::uint32_t part) {
  return implementer << 12 | part;
}

constexpr std::uint32_t kArm = 0x41;
constexpr std::uint32_t kHiSilicon = 0x48;
constexpr std::uint32_t kQualcomm = 0x51;
constexpr std::uint32_t kMicrosoft = 0x6d;

Loop LoopFor(std::uint32_t core) {
  switch (core) {
    case Core(kArm, 0xd02):       // Cortex-A34
    case Core(kArm, 0xd04):       // A35
    case Core(kArm, 0xd03):       // A53
    case Core(kArm, 0xd05):       // A55, although it has dot products
    case Core(kArm, 0xd46):       // A510
    case Core(kArm, 0xd80):       // A520
    case Core(kArm, 0xd8f):       // A320
    case Core(kQualcomm, 0x801):  // Kryo 2xx Silver, an A53
    case Core(kQualcomm, 0x803):  // Kryo 3xx Silver, an A55
    case Core(kQualcomm, 0x805):  // Kryo 4xx Silver, an A55
      return Loop::kInOrder;
    case Core(kArm, 0xd0b):        // A76
    case Core(kArm, 0xd0e):        // A76AE
    case Core(kArm, 0xd0d):        // A77
    case Core(kArm, 0xd41):        // A78
    case Core(kArm, 0xd42):        // A78AE
    case Core(kArm, 0xd4b):        // A78C
    case Core(kArm, 0xd47):        // A710
    case Core(kArm, 0xd4d):        // A715
    case Core(kArm, 0xd81):        // A720
    case Core(kArm, 0xd87):        // A725
    case Core(kArm, 0xd48):        // X2
    case Core(kArm, 0xd4e):        // X3
    case Core(kArm, 0xd82):        // X4
    case Core(kArm, 0xd85):        // X925
    case Core(kArm, 0xd0c):        // Neoverse N1
    case Core(kArm, 0xd49):        // N2
    case Core(kArm, 0xd8e):        // N3
    case Core(kArm, 0xd4f):        // V2
    case Core(kArm, 0xd84):        // V3
    case Core(kQualcomm, 0x804):   // Kryo 4xx Gold, an A76
    case Core(kHiSilicon, 0xd40):  // Kirin's A76
    case Core(kHiSilicon, 0xd41):  // Kirin's A77 and A78
    case Core(kMicrosoft, 0xd49):  // Cobalt 100, a Neoverse N2
      return Loop::kLookup;
    // A57, A72, A73, A75, X1, V1, where TBL takes several steps or half the pipelines; Apple's,
    // Qualcomm's own and all others, of which that is not known.
    default:
      return Loop::kXnor;
  }
}

}  // namespace

Loop LoopFor(const Cpu& cpu) {
  if (cpu.core_type_count == 0) return Loop::kXnor;
  const Loop loop = LoopFor(cpu.core_types[0]);
  for (int i = 1; i < cpu.core_type_count; ++i) {
    if (LoopFor(cpu.core_types[i]) != loop) return Loop::kXnor;
  }
  return loop;
}

}  // namespace tfkit::bconv2d::neon
