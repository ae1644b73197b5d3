// From the counts of 16 channels in an AVX-512 register to the output. For files compiled for
// AVX-512 only, hence the unnamed namespace.
#pragma once

#include "kernels/avx512.h"
#include "kernels/kbit_conv2d/direct.h"

namespace tfkit::kbit_conv2d {
namespace {

static_assert(kBlock == 16, "a block is a register");

// The first `channels` lanes; all where there are more.
inline __mmask16 LaneMask(int channels) {
  return channels >= kBlock ? __mmask16(0xffff) : __mmask16((1u << channels) - 1);
}

// What counts of shared bits lack to be sums.
struct Offsets {
  explicit Offsets(const Filter& filter)
      : step(_mm512_set1_epi32(filter.weights.step * filter.activations.step)),
        from_filter(_mm512_set1_epi32(filter.weights.step * filter.activations.lowest)),
        pixel_sums(PixelSums(filter)) {}

  // Of one pixel and block of a tile, for weight plane i and activation plane j.
  TFKIT_ALWAYS_INLINE __m512i Sums(const Tile& tile, int pixel, int block, int i, int j,
                                   __m512i counts) const {
    const __m512i window = _mm512_set1_epi32(tile.window[pixel * pixel_sums + j]);
    const __m512i sums = _mm512_add_epi32(_mm512_mullo_epi32(counts, step), window);
    const WindowFilterSums& bits = tile.filter[pixel];
    if (!bits.sums) return sums;
    const __m512i set = _mm512_loadu_si512(bits.sums + i * bits.stride + block * kBlock);
    return _mm512_add_epi32(sums, _mm512_mullo_epi32(set, from_filter));
  }

  __m512i step;
  __m512i from_filter;
  int pixel_sums;
};

// Of up to 16 channels; Zen 4 takes its time for masks.
TFKIT_ALWAYS_INLINE void StoreFloats(__m512 values, int channels, float* out) {
  if (channels >= kBlock) {
    _mm512_storeu_ps(out, values);
  } else {
    _mm512_mask_storeu_ps(out, LaneMask(channels), values);
  }
}

// The levels' bits: the set of reached thresholds is a prefix of their list, so a plane's bits are
// the XOR of the masks at which its bit changes.
TFKIT_ALWAYS_INLINE void StoreLevels(const Call& call, const Tile& tile, int pixel, int block,
                                     __m512i sums) {
  const OutputTransform& transform = call.transform;
  const int channels_out = call.geometry.filter.channels_out;
  const std::size_t padded = PaddedChannels(channels_out);
  const int channel = tile.channel + block * kBlock;
  const __mmask16 lanes = LaneMask(tile.channels - block * kBlock);
  sums = _mm512_xor_si512(sums, _mm512_loadu_si512(transform.flip + channel));
  std::uint32_t planes[kMaxActivationPlanes];
  for (int j = 0; j < kMaxActivationPlanes; ++j) planes[j] = transform.bits[0] >> j & 1 ? lanes : 0;
  for (int t = 0; t < transform.thresholds; ++t) {
    const __m512i threshold = _mm512_loadu_si512(transform.threshold + t * padded + channel);
    const std::uint32_t reached = _mm512_mask_cmpge_epi32_mask(lanes, sums, threshold);
    const unsigned changes = transform.bits[t] ^ transform.bits[t + 1];
    for (int j = 0; j < kMaxActivationPlanes; ++j) planes[j] ^= changes >> j & 1 ? reached : 0;
  }
  std::uint32_t* out = call.Levels(tile.pixel + pixel);
  for (int j = 0; j < transform.planes; ++j) {
    StoreBlockBits(out, j, channel / kBlock, channels_out, planes[j]);
  }
}

// The only sums of a tile's blocks from `first` on, from their counts.
template <int kPixels, int kBlocks>
TFKIT_ALWAYS_INLINE void StoreTile(const Call& call, const Tile& tile, int first,
                                   const __m512i (&counts)[kPixels][kBlocks]) {
  const Offsets offsets(call.geometry.filter);
  if (call.transform.type == OutputType::kLevels) {
    for (int p = 0; p < kPixels; ++p) {
      for (int b = 0; b < kBlocks; ++b) {
        StoreLevels(call, tile, p, first + b, offsets.Sums(tile, p, first + b, 0, 0, counts[p][b]));
      }
    }
    return;
  }
  const std::size_t channels_out = call.geometry.filter.channels_out;
  for (int b = 0; b < kBlocks; ++b) {
    const int channel = tile.channel + (first + b) * kBlock;
    const int left = tile.channels - (first + b) * kBlock;
    const __m512 scale = _mm512_loadu_ps(call.transform.scales + channel);
    const __m512 bias = _mm512_loadu_ps(call.transform.bias + channel);
    float* out = call.Floats(tile.pixel) + channel;
    for (int p = 0; p < kPixels; ++p, out += channels_out) {
      const __m512i sums = offsets.Sums(tile, p, first + b, 0, 0, counts[p][b]);
      const __m512 y = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale), bias);
      StoreFloats(y, left, out);
    }
  }
}

// From memory, [pixels][blocks][kBlock].
template <int kPixels, int kBlocks>
TFKIT_ALWAYS_INLINE void StoreTile(const Call& call, const Tile& tile, int first,
                                   const std::int32_t* counts) {
  __m512i loaded[kPixels][kBlocks];
  for (int p = 0; p < kPixels; ++p) {
    for (int b = 0; b < kBlocks; ++b, counts += kBlock) loaded[p][b] = _mm512_load_si512(counts);
  }
  StoreTile<kPixels, kBlocks>(call, tile, first, loaded);
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
