// Products of bytes by UDOT: 8 pixels and 8 output channels in registers.
#include <arm_neon.h>

#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/neon_bytes.h"

#if !defined(__ARM_FEATURE_DOTPROD)
#error "kernels/CMakeLists.txt compiles this file with +dotprod"
#endif

namespace tfkit::kbit_conv2d {
namespace {

// 4 channels: number `quad` of a step's.
template <int quad, int pixels>
[[gnu::always_inline]] inline void AddQuad(const std::uint8_t* weights,
                                           const uint8x16_t (&a)[pixels],
                                           uint32x4_t (&sums)[pixels][2]) {
  const uint8x16_t low = vld1q_u8(weights + 32 * quad);
  const uint8x16_t high = vld1q_u8(weights + 32 * quad + 16);
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) {
    sums[p][0] = vdotq_laneq_u32(sums[p][0], low, a[p], quad);
    sums[p][1] = vdotq_laneq_u32(sums[p][1], high, a[p], quad);
  }
}

template <int pixels>
void Sum(const neon::Windows& windows, const std::uint8_t* weights, int vectors,
         std::int32_t* out) {
  for (int v = 0; v < vectors; ++v) {
    uint32x4_t sums[pixels][2];
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p) sums[p][0] = sums[p][1] = vdupq_n_u32(0);
    for (int fy = 0; fy < windows.height; ++fy) {
      const std::uint8_t* at[pixels];
#pragma GCC unroll 8
      for (int p = 0; p < pixels; ++p) at[p] = windows.rows[fy] + windows.offsets[p];
      for (int step = 0; step < windows.steps; ++step, weights += 128) {
        uint8x16_t a[pixels];
#pragma GCC unroll 8
        for (int p = 0; p < pixels; ++p) {
          a[p] = vld1q_u8(at[p]);
          at[p] += neon::kStepChannels;
        }
        AddQuad<0>(weights, a, sums);
        AddQuad<1>(weights, a, sums);
        AddQuad<2>(weights, a, sums);
        AddQuad<3>(weights, a, sums);
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p, out += 8) {
      vst1q_s32(out, vreinterpretq_s32_u32(sums[p][0]));
      vst1q_s32(out + 4, vreinterpretq_s32_u32(sums[p][1]));
    }
  }
}

constexpr neon::ByteFunctions kSum = {nullptr, Sum<1>, Sum<2>, Sum<3>, Sum<4>,
                                      Sum<5>,  Sum<6>, Sum<7>, Sum<8>};

PackedFilter Pack(const Filter& filter, const std::uint32_t* stored) {
  return neon::PackBytes(filter, stored, neon::ByteOrder::kQuads);
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunBytes(call, kSum, begin, end, own);
}

Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  if (!neon::BytesCan(geometry)) return Fit::kCannot;
  return Crossover(geometry, cpu) == Road::kInt8 ? Fit::kSuits : Fit::kCan;
}

}  // namespace

const Kernel kernels::neondotprod = {"neondotprod",
                                     Isa::kNeonDotprod,
                                     Road::kInt8,
                                     FitOf,
                                     Pack,
                                     neon::BytesWorkspace,
                                     1,
                                     neon::RowUnits,
                                     Run};

}  // namespace tfkit::kbit_conv2d
