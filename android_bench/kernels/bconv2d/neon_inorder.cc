// XNOR-popcount in the order in which cores that keep to it never wait: neon_inorder_steps.h.
#include <arm_neon.h>

#include "kernels/bconv2d/neon_cores.h"
#include "kernels/bconv2d/neon_inorder_steps.h"
#include "kernels/bconv2d/neon_tiled.h"

namespace tfkit::bconv2d {
namespace {

using neon::kTileChannels;
using neon::kTilePixels;

constexpr int kWeightBytes = 16 * kTileChannels;  // of a step

// A load of 128 bits in two of 64, which compilers would join.
[[gnu::always_inline]] inline uint8x16_t Load(const std::uint8_t* bytes) {
  uint8x16_t vector;
  std::uint64_t high;
  asm("ldr %d[vector], [%[bytes]]\n"
      "ldr %[high], [%[bytes], #8]\n"
      "ins %[vector].d[1], %[high]\n"
      : [vector] "=&w"(vector), [high] "=&r"(high)
      : [bytes] "r"(bytes), "m"(*reinterpret_cast<const std::uint8_t (*)[16]>(bytes)));
  return vector;
}

// Sets the counts of `pixels` pixels and 8 channels to those of `n` steps, at least one.
template <int pixels>
void CountSteps(const std::uint8_t* patch, const std::uint8_t* w, std::size_t n,
                std::uint16_t* counts);

// clang-format off
#define COUNT_STEPS(pixels, STEPS, before, last) \
  template <> \
  void CountSteps<pixels>(const std::uint8_t* patch, const std::uint8_t* w, std::size_t n, \
                          std::uint16_t* counts) { \
    asm volatile(PROLOGUE STEPS(pixels) DRAIN(before, last) PUT_##pixels \
                 : [patch] "+r"(patch), [w] "+r"(w), [n] "+r"(n) \
                 : [counts] "r"(counts) \
                 : "cc", "memory", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
                   "x17", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", \
                   "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", \
                   "v22", "v23", "v24", "v25", "v26"); \
  }
COUNT_STEPS(1, ODD_STEPS, 16, 16)
COUNT_STEPS(2, EVEN_STEPS, 16, 17)
COUNT_STEPS(3, ODD_STEPS, 17, 18)
COUNT_STEPS(4, EVEN_STEPS, 18, 19)
COUNT_STEPS(5, ODD_STEPS, 19, 20)
COUNT_STEPS(6, EVEN_STEPS, 20, 21)
COUNT_STEPS(7, ODD_STEPS, 21, 22)
COUNT_STEPS(8, EVEN_STEPS, 22, 23)
// clang-format on

// Adds the half step behind the others: pixels in pairs, one's sum of a channel in a lane's low
// byte, the other's in the high one.
template <int pixels>
void AddHalfStep(const std::uint8_t* patch, const std::uint8_t* weights, std::uint16_t* counts) {
  uint8x16_t w[kTileChannels];
  for (int c = 0; c < kTileChannels; ++c) {
    std::uint64_t half;
    __builtin_memcpy(&half, weights + 16 * c, sizeof half);
    w[c] = vreinterpretq_u8_u64(vdupq_n_u64(half));
  }
  for (int p = 0; p < pixels; p += 2, counts += 2 * kTileChannels) {
    const uint8x16_t both = Load(patch + 8 * p);
    uint8x16_t sums[kTileChannels];
    for (int c = 0; c < kTileChannels; ++c) sums[c] = vcntq_u8(veorq_u8(w[c], both));
    for (int width = kTileChannels / 2; width > 0; width /= 2) {
      for (int c = 0; c < width; ++c) sums[c] = vpaddq_u8(sums[2 * c], sums[2 * c + 1]);
    }
    const uint16x8_t low = vandq_u16(vreinterpretq_u16_u8(sums[0]), vdupq_n_u16(0xff));
    const uint16x8_t high = vshrq_n_u16(vreinterpretq_u16_u8(sums[0]), 8);
    auto* bytes = reinterpret_cast<const std::uint8_t*>(counts);
    vst1q_u16(counts, vaddq_u16(vreinterpretq_u16_u8(Load(bytes)), low));
    if (p + 1 == pixels) break;
    vst1q_u16(counts + kTileChannels, vaddq_u16(vreinterpretq_u16_u8(Load(bytes + 16)), high));
  }
}

template <int pixels, bool half>
void Count(const std::uint8_t* patch, const std::uint8_t* weights, std::size_t vectors,
           std::size_t steps, std::uint16_t* counts) {
  for (std::size_t v = 0; v < vectors; ++v, counts += kTileChannels * pixels) {
    if (steps > 0) {
      CountSteps<pixels>(patch, weights, steps, counts);
    } else {
      for (int i = 0; i < kTileChannels * pixels; ++i) counts[i] = 0;
    }
    weights += steps * kWeightBytes;
    if constexpr (half) {
      AddHalfStep<pixels>(patch + steps * 16 * pixels, weights, counts);
      weights += kWeightBytes;
    }
  }
}

Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  if (!geometry.filter.CountsFit16Bits()) return Fit::kCannot;
  return neon::LoopFor(cpu) == neon::Loop::kInOrder ? Fit::kSuits : Fit::kCan;
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunTiled(call, neon::kInOrderLoops, begin, end, own);
}

}  // namespace

constexpr neon::TileFunctions neon::kInOrderLoops = {
    {{nullptr, Count<1, false>, Count<2, false>, Count<3, false>, Count<4, false>, Count<5, false>,
      Count<6, false>, Count<7, false>, Count<8, false>},
     {nullptr, Count<1, true>, Count<2, true>, Count<3, true>, Count<4, true>, Count<5, true>,
      Count<6, true>, Count<7, true>, Count<8, true>}},
    {},
    {}};

const Kernel kernels::neon_inorder = {
    "neon_inorder",   Isa::kNeon, FitOf, neon::PackTiles, neon::TiledWorkspace, 1,
    neon::TiledUnits, Run};

}  // namespace tfkit::bconv2d
