// The output transform on 8 channels of a pixel in an AVX2 register. For files compiled for AVX2
// only, hence the unnamed namespace.
#pragma once

#include <immintrin.h>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kVector = 8;

// The first `channels` lanes; all where there are more.
inline __m256i LaneMask(int channels) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(channels), lane);
}

// `channels` values; parameters are readable beyond the last channel only up to their padding.
inline __m256i LoadInts(const std::int32_t* values, int channels) {
  return channels >= kVector ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values))
                             : _mm256_maskload_epi32(values, LaneMask(channels));
}

inline __m256 LoadFloats(const float* values, int channels) {
  return channels >= kVector ? _mm256_loadu_ps(values)
                             : _mm256_maskload_ps(values, LaneMask(channels));
}

inline void StoreInts(std::int32_t* out, __m256i values, int channels) {
  if (channels >= kVector) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), values);
  } else {
    _mm256_maskstore_epi32(out, LaneMask(channels), values);
  }
}

inline __m256 Linear(const OutputTransform& transform, __m256i d, int channel, int channels) {
  if (transform.clamps) {
    d = _mm256_max_epi32(d, _mm256_set1_epi32(transform.clamp_min));
    d = _mm256_min_epi32(d, _mm256_set1_epi32(transform.clamp_max));
  }
  const __m256 m = LoadFloats(transform.multiplier + channel, channels);
  const __m256 b = LoadFloats(transform.bias + channel, channels);
  return _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(d), m), b);
}

// Half away from zero, saturated; NaN gives -128. Rounding after saturation gives the same values,
// and truncation leaves an exact remainder to decide by.
inline __m256i RoundToInt8(__m256 x) {
  x = _mm256_max_ps(x, _mm256_set1_ps(-128.0f));  // the second operand where x is NaN
  x = _mm256_min_ps(x, _mm256_set1_ps(127.0f));
  const __m256 whole = _mm256_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
  const __m256 rest = _mm256_sub_ps(x, whole);
  const __m256 up = _mm256_cmp_ps(rest, _mm256_set1_ps(0.5f), _CMP_GE_OQ);
  const __m256 down = _mm256_cmp_ps(rest, _mm256_set1_ps(-0.5f), _CMP_LE_OQ);
  const __m256i rounded = _mm256_sub_epi32(_mm256_cvttps_epi32(whole), _mm256_castps_si256(up));
  return _mm256_add_epi32(rounded, _mm256_castps_si256(down));
}

inline void StoreInt8s(std::int8_t* out, __m256i values, int channels) {
  const __m128i halves =
      _mm_packs_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  const __m128i bytes = _mm_packs_epi16(halves, halves);
  if (channels >= kVector) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), bytes);
    return;
  }
  auto rest = static_cast<std::uint64_t>(_mm_cvtsi128_si64(bytes));
  for (int c = 0; c < channels; ++c, rest >>= 8) out[c] = static_cast<std::int8_t>(rest);
}

inline std::uint32_t Bits(const OutputTransform& transform, __m256i d, int channel, int channels) {
  if (channels <= 0) return 0;
  const __m256i threshold = LoadInts(transform.threshold + channel, channels);
  const __m256i set = _mm256_cmpgt_epi32(_mm256_srai_epi32(d, 1), threshold);
  const auto bits = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(set)));
  return channels >= kVector ? bits : bits & ((1u << channels) - 1);
}

// Stores d of `channels` channels of one pixel, up to kVectors x kVector, from channel `channel`
// on. Bitpacked: `channel` starts a word, or half a word with 2 vectors.
template <int kVectors>
inline void StoreOutput(const Call& call, std::size_t pixel, int channel, int channels,
                        const __m256i (&d)[kVectors]) {
  static_assert(kVectors == 2 || kVectors == 4);
  const OutputTransform& transform = call.transform;
  const int channels_out = call.geometry.filter.channels_out;
  const std::size_t first = pixel * channels_out + channel;
  switch (transform.type) {
    case OutputType::kFloat: {
      auto* out = static_cast<float*>(call.output) + first;
      for (int v = 0, left = channels; v < kVectors && left > 0; ++v, left -= kVector) {
        const __m256 values = Linear(transform, d[v], channel + v * kVector, left);
        if (left >= kVector) {
          _mm256_storeu_ps(out + v * kVector, values);
        } else {
          _mm256_maskstore_ps(out + v * kVector, LaneMask(left), values);
        }
      }
      break;
    }
    case OutputType::kInt8: {
      auto* out = static_cast<std::int8_t*>(call.output) + first;
      for (int v = 0, left = channels; v < kVectors && left > 0; ++v, left -= kVector) {
        const __m256 values = Linear(transform, d[v], channel + v * kVector, left);
        StoreInt8s(out + v * kVector, RoundToInt8(values), left);
      }
      break;
    }
    case OutputType::kBitpacked: {
      std::uint32_t bits = 0;
      for (int v = 0; v < kVectors; ++v) {
        bits |= Bits(transform, d[v], channel + v * kVector, channels - v * kVector)
                << (v * kVector);
      }
      auto* words = static_cast<std::uint32_t*>(call.output) + pixel * PackedWords(channels_out);
      char* out = reinterpret_cast<char*>(words) + channel / 8;
      // The last half of a word that has no other half clears that.
      const bool whole =
          kVectors == 4 || (channel % kWordBits == 0 && channel + 16 >= channels_out);
      if (whole) {
        __builtin_memcpy(out, &bits, 4);
      } else {
        __builtin_memcpy(out, &bits, 2);
      }
      break;
    }
  }
}

}  // namespace
}  // namespace tfkit::bconv2d
