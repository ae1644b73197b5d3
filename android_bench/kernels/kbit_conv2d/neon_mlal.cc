// Products of bytes by UMLAL, for cores without dot products: 4 pixels and 4 output channels in
// registers, 8 sums of 16 bits each.
#include <arm_neon.h>

#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/neon_bytes.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kTile = 4;  // of either

// Sums of `pixels` pixels and 4 output channels, to out[p * 8].
template <int pixels>
[[gnu::always_inline]] inline void SumTile(const neon::Windows& windows, const std::size_t* offsets,
                                           const std::uint8_t* weights, std::int32_t* out) {
  uint32x4_t totals[pixels][kTile];
  uint16x8_t sums[pixels][kTile];
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
    for (int c = 0; c < kTile; ++c) {
      totals[p][c] = vdupq_n_u32(0);
      sums[p][c] = vdupq_n_u16(0);
    }
  }
  const auto flush = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) {
#pragma GCC unroll 4
      for (int c = 0; c < kTile; ++c) {
        totals[p][c] = vpadalq_u16(totals[p][c], sums[p][c]);
        sums[p][c] = vdupq_n_u16(0);
      }
    }
  };
  int left = windows.flush;
  for (int fy = 0; fy < windows.height; ++fy) {
    const std::uint8_t* at[pixels];
#pragma GCC unroll 4
    for (int p = 0; p < pixels; ++p) at[p] = windows.rows[fy] + offsets[p];
    for (int in_row = windows.steps; in_row > 0;) {
      if (left == 0) {
        flush();
        left = windows.flush;
      }
      const int steps = in_row < left ? in_row : left;
      in_row -= steps;
      left -= steps;
      for (int step = 0; step < steps; ++step, weights += kTile * neon::kStepChannels) {
        uint8x16_t w[kTile];
#pragma GCC unroll 4
        for (int c = 0; c < kTile; ++c) w[c] = vld1q_u8(weights + c * neon::kStepChannels);
#pragma GCC unroll 4
        for (int p = 0; p < pixels; ++p) {
          const uint8x16_t a = vld1q_u8(at[p]);
          at[p] += neon::kStepChannels;
#pragma GCC unroll 4
          for (int c = 0; c < kTile; ++c) {
            sums[p][c] = vmlal_u8(sums[p][c], vget_low_u8(a), vget_low_u8(w[c]));
            sums[p][c] = vmlal_high_u8(sums[p][c], a, w[c]);
          }
        }
      }
    }
  }
  flush();
#pragma GCC unroll 4
  for (int p = 0; p < pixels; ++p, out += 2 * kTile) {
    const uint32x4_t low = vpaddq_u32(totals[p][0], totals[p][1]);
    const uint32x4_t high = vpaddq_u32(totals[p][2], totals[p][3]);
    vst1q_s32(out, vreinterpretq_s32_u32(vpaddq_u32(low, high)));
  }
}

template <int pixels>
void Sum(const neon::Windows& windows, const std::uint8_t* weights, int vectors,
         std::int32_t* out) {
  const std::size_t half_bytes =
      std::size_t(windows.height) * windows.steps * kTile * neon::kStepChannels;
  for (int v = 0; v < vectors; ++v, out += 2 * kTile * pixels) {
    for (int half = 0; half < 2; ++half, weights += half_bytes) {
      std::int32_t* to = out + half * kTile;
      constexpr int kFirst = pixels < kTile ? pixels : kTile;
      SumTile<kFirst>(windows, windows.offsets, weights, to);
      if constexpr (pixels > kTile) {
        SumTile<pixels - kTile>(windows, windows.offsets + kTile, weights, to + 2 * kTile * kTile);
      }
    }
  }
}

constexpr neon::ByteFunctions kSum = {nullptr, Sum<1>, Sum<2>, Sum<3>, Sum<4>,
                                      Sum<5>,  Sum<6>, Sum<7>, Sum<8>};

PackedFilter Pack(const Filter& filter, const std::uint32_t* stored) {
  return neon::PackBytes(filter, stored, neon::ByteOrder::kChannels);
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunBytes(call, kSum, begin, end, own);
}

// A step adds two products to a sum of 16 bits.
Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  if (!neon::BytesCan(geometry) || 2 * neon::LargestProduct(geometry.filter) > 0xffff) {
    return Fit::kCannot;
  }
  return Crossover(geometry, cpu) == Road::kInt8 ? Fit::kSuits : Fit::kCan;
}

}  // namespace

const Kernel kernels::neon_mlal = {"neon_mlal",          Isa::kNeon, Road::kInt8,    FitOf, Pack,
                                   neon::BytesWorkspace, 1,          neon::RowUnits, Run};

}  // namespace tfkit::kbit_conv2d
