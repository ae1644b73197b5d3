// The output transforms of counts in registers, for NEON kernels whose counts never need memory.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/inlining.h"

namespace tfkit::bconv2d::neon {

constexpr int kLanes = 8;  // output channels whose counts make one vector

// d of 8 channels -> float(clamp(d)) * multiplier + bias, rounded twice.
struct Linear {
  float32x4_t multiplier[2];
  float32x4_t bias[2];
  int32x4_t min;
  int32x4_t max;

  // The low or the high four channels. `zips` instead of converting: beside the exponent of 2^24 a
  // count is 2^24 + d. Better where conversions have one pipeline and ZIP has two, as on cores that
  // look up; worse on a Cortex-A72.
  template <bool clamps, bool zips = false>
  TFKIT_ALWAYS_INLINE float32x4_t Of(uint16x8_t counts, int half) const {
    float32x4_t value;
    if constexpr (zips && !clamps) {
      const uint16x8_t exponent = vdupq_n_u16(0x4b80);
      const uint16x8_t sum =
          half == 0 ? vzip1q_u16(counts, exponent) : vzip2q_u16(counts, exponent);
      value = vsubq_f32(vreinterpretq_f32_u16(sum), vdupq_n_f32(16777216.0f));
    } else {
      const uint32x4_t d =
          half == 0 ? vshll_n_u16(vget_low_u16(counts), 1) : vshll_high_n_u16(counts, 1);
      if constexpr (clamps) {
        value = vcvtq_f32_s32(vminq_s32(vmaxq_s32(vreinterpretq_s32_u32(d), min), max));
      } else {
        value = vcvtq_f32_u32(d);
      }
    }
    return vaddq_f32(vmulq_f32(value, multiplier[half]), bias[half]);
  }
};

TFKIT_ALWAYS_INLINE Linear LinearOf(const float* multiplier, const float* bias,
                                    std::int32_t clamp_min, std::int32_t clamp_max) {
  return {{vld1q_f32(multiplier), vld1q_f32(multiplier + 4)},
          {vld1q_f32(bias), vld1q_f32(bias + 4)},
          vdupq_n_s32(clamp_min),
          vdupq_n_s32(clamp_max)};
}

// Rounds half away from zero and saturates; NaN becomes -128.
TFKIT_ALWAYS_INLINE int8x8_t ToInt8s(float32x4_t low, float32x4_t high) {
  const float32x4_t least = vdupq_n_f32(-128.0f);
  const int32x4_t a = vcvtaq_s32_f32(vmaxnmq_f32(low, least));
  const int32x4_t b = vcvtaq_s32_f32(vmaxnmq_f32(high, least));
  return vqmovn_s16(vqmovn_high_s32(vqmovn_s32(a), b));
}

// Bit p * 8 + c of the vector: whether the count of channel c at pixel p is beyond the threshold.
TFKIT_ALWAYS_INLINE uint8x8_t Bits(const std::int32_t* thresholds, const uint16x8_t (&counts)[8]) {
  const uint16x8_t bit_of_lane = vmovl_u8(vreinterpret_u8_u64(vdup_n_u64(0x8040201008040201)));
  // count > t is count >= t + 1, which 16 bits hold for every t that decides anything.
  const int32x4_t one = vdupq_n_s32(1);
  const uint16x8_t least = vqmovun_high_s32(vqmovun_s32(vqaddq_s32(vld1q_s32(thresholds), one)),
                                            vqaddq_s32(vld1q_s32(thresholds + 4), one));
  uint16x8_t bits[8];
#pragma GCC unroll 8
  for (int p = 0; p < 8; ++p) bits[p] = vandq_u16(vcgeq_u16(counts[p], least), bit_of_lane);
#pragma GCC unroll 3
  for (int width = 4; width > 0; width /= 2) {
#pragma GCC unroll 4
    for (int i = 0; i < width; ++i) bits[i] = vpaddq_u16(bits[2 * i], bits[2 * i + 1]);
  }
  return vmovn_u16(bits[0]);
}

}  // namespace tfkit::bconv2d::neon
