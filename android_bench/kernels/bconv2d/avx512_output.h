// The output transform on 16 channels of a pixel in an AVX-512 register. For files compiled for
// AVX-512 only, hence the unnamed namespace.
#pragma once

#include "kernels/avx512.h"
#include "kernels/bconv2d/output_transform.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kVector = 16;

// The first `channels` lanes; all where there are more.
inline __mmask16 LaneMask(int channels) {
  return channels >= kVector ? __mmask16(0xffff) : __mmask16((1u << channels) - 1);
}

// Of 16 channels; loaded once for all pixels of a tile.
struct LinearLanes {
  LinearLanes(const OutputTransform& transform, int channel, __mmask16 lanes)
      : multiplier(_mm512_maskz_loadu_ps(lanes, transform.multiplier + channel)),
        bias(_mm512_maskz_loadu_ps(lanes, transform.bias + channel)) {}
  __m512 multiplier;
  __m512 bias;
};

inline __m512 Linear(const OutputTransform& transform, __m512i d, const LinearLanes& linear) {
  if (transform.clamps) {
    d = _mm512_max_epi32(d, _mm512_set1_epi32(transform.clamp_min));
    d = _mm512_min_epi32(d, _mm512_set1_epi32(transform.clamp_max));
  }
  return _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(d), linear.multiplier), linear.bias);
}

inline void StoreFloats(__m512 values, __mmask16 lanes, float* out) {
  if (lanes == 0xffff) {
    _mm512_storeu_ps(out, values);
  } else {
    _mm512_mask_storeu_ps(out, lanes, values);
  }
}

// Half away from zero, saturated; NaN gives -128. Rounding after saturation gives the same values,
// and truncation leaves an exact remainder to decide by.
inline void StoreInt8s(__m512 x, __mmask16 lanes, std::int8_t* out) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-128.0f));  // the second operand where x is NaN
  x = _mm512_min_ps(x, _mm512_set1_ps(127.0f));
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(x, whole);
  const __mmask16 up = _mm512_cmp_ps_mask(rest, _mm512_set1_ps(0.5f), _CMP_GE_OQ);
  const __mmask16 down = _mm512_cmp_ps_mask(rest, _mm512_set1_ps(-0.5f), _CMP_LE_OQ);
  __m512i rounded = _mm512_cvttps_epi32(whole);
  rounded = _mm512_mask_add_epi32(rounded, up, rounded, _mm512_set1_epi32(1));
  rounded = _mm512_mask_sub_epi32(rounded, down, rounded, _mm512_set1_epi32(1));
  const __m128i bytes = _mm512_cvtepi32_epi8(rounded);
  if (lanes == 0xffff) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
  } else {
    _mm_mask_storeu_epi8(out, lanes, bytes);
  }
}

}  // namespace
}  // namespace tfkit::bconv2d
