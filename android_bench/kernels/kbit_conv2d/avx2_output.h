// From the counts of 16 channels in two AVX2 registers to the output. For files compiled for AVX2
// only, hence the unnamed namespace.
#pragma once

#include <immintrin.h>

#include "kernels/kbit_conv2d/direct.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kHalf = 8;
static_assert(kBlock == 2 * kHalf, "a block is two registers");

inline __m256i LoadInts(const std::int32_t* values) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(values));
}

// The only sums of half a block, from its counts.
inline __m256i HalfSums(const Filter& filter, const Tile& tile, int pixel, int offset,
                        __m256i counts) {
  const int step = filter.weights.step * filter.activations.step;
  __m256i sums = _mm256_add_epi32(_mm256_mullo_epi32(counts, _mm256_set1_epi32(step)),
                                  _mm256_set1_epi32(tile.window[pixel]));
  const WindowFilterSums& bits = tile.filter[pixel];
  if (bits.sums) {
    const __m256i from_filter = _mm256_set1_epi32(filter.weights.step * filter.activations.lowest);
    sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(LoadInts(bits.sums + offset), from_filter));
  }
  return sums;
}

inline void StoreFloats(const Call& call, const Tile& tile, int pixel, int offset, __m256i sums) {
  const int channel = tile.channel + offset;
  const int left = tile.channels - offset;
  const __m256 y = _mm256_add_ps(
      _mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(call.transform.scales + channel)),
      _mm256_loadu_ps(call.transform.bias + channel));
  float* out = call.Floats(tile.pixel + pixel) + channel;
  if (left >= kHalf) {
    _mm256_storeu_ps(out, y);
  } else if (left > 0) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(out, _mm256_cmpgt_epi32(_mm256_set1_epi32(left), lane), y);
  }
}

// The levels' bits: the set of reached thresholds is a prefix of their list, so a plane's bits are
// the XOR of the masks at which its bit changes.
inline void StoreLevels(const Call& call, const Tile& tile, int pixel, int block,
                        const __m256i (&sums)[2]) {
  const OutputTransform& transform = call.transform;
  const int channels_out = call.geometry.filter.channels_out;
  const std::size_t padded = PaddedChannels(channels_out);
  const int channel = tile.channel + block * kBlock;
  const int left = tile.channels - block * kBlock;
  const std::uint32_t lanes = left >= kBlock ? 0xffffu : (1u << left) - 1;
  __m256i flipped[2];
  for (int h = 0; h < 2; ++h) {
    flipped[h] = _mm256_xor_si256(sums[h], LoadInts(transform.flip + channel + h * kHalf));
  }
  std::uint32_t planes[kMaxActivationPlanes];
  for (int j = 0; j < kMaxActivationPlanes; ++j) planes[j] = transform.bits[0] >> j & 1 ? lanes : 0;
  for (int t = 0; t < transform.thresholds; ++t) {
    const std::int32_t* threshold = transform.threshold + t * padded + channel;
    std::uint32_t below = 0;
    for (int h = 0; h < 2; ++h) {
      const __m256i less = _mm256_cmpgt_epi32(LoadInts(threshold + h * kHalf), flipped[h]);
      below |= static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(less)))
               << (h * kHalf);
    }
    const std::uint32_t reached = ~below & lanes;
    const unsigned changes = transform.bits[t] ^ transform.bits[t + 1];
    for (int j = 0; j < kMaxActivationPlanes; ++j) planes[j] ^= changes >> j & 1 ? reached : 0;
  }
  std::uint32_t* out = call.Levels(tile.pixel + pixel);
  for (int j = 0; j < transform.planes; ++j) {
    StoreBlockBits(out, j, channel / kBlock, channels_out, planes[j]);
  }
}

// The only sums of a tile's blocks from `first` on, from their counts [pixels][blocks][kBlock].
template <int kPixels, int kBlocks>
TFKIT_ALWAYS_INLINE void StoreTile(const Call& call, const Tile& tile, int first,
                                   const std::int32_t* counts) {
  const Filter& filter = call.geometry.filter;
  for (int p = 0; p < kPixels; ++p) {
    for (int block = first; block < first + kBlocks; ++block, counts += kBlock) {
      __m256i sums[2];
      for (int h = 0; h < 2; ++h) {
        sums[h] =
            HalfSums(filter, tile, p, block * kBlock + h * kHalf, LoadInts(counts + h * kHalf));
      }
      if (call.transform.type == OutputType::kLevels) {
        StoreLevels(call, tile, p, block, sums);
        continue;
      }
      for (int h = 0; h < 2; ++h) {
        StoreFloats(call, tile, p, block * kBlock + h * kHalf, sums[h]);
      }
    }
  }
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
