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

// What a count of shared bits lacks to be a sum, of one block of a tile and pair of sums.
inline __m512i Sums(const Filter& filter, const Tile& tile, int pixel, int block, int i, int j,
                    __m512i counts) {
  const int step = filter.weights.step * filter.activations.step;
  const std::int32_t window = tile.window[pixel * PixelSums(filter) + j];
  __m512i sums = _mm512_add_epi32(_mm512_mullo_epi32(counts, _mm512_set1_epi32(step)),
                                  _mm512_set1_epi32(window));
  const WindowFilterSums& bits = tile.filter[pixel];
  if (bits.sums) {
    const __m512i set = _mm512_loadu_si512(bits.sums + i * bits.stride + block * kBlock);
    const __m512i from_filter = _mm512_set1_epi32(filter.weights.step * filter.activations.lowest);
    sums = _mm512_add_epi32(sums, _mm512_mullo_epi32(set, from_filter));
  }
  return sums;
}

inline void StoreFloats(const Call& call, const Tile& tile, int pixel, int block, __m512 values) {
  const int channel = tile.channel + block * kBlock;
  const __m512 y = _mm512_add_ps(values, _mm512_loadu_ps(call.transform.bias + channel));
  float* out = call.Floats(tile.pixel + pixel) + channel;
  // Zen 4 takes its time for masks.
  if (tile.channels - block * kBlock >= kBlock) {
    _mm512_storeu_ps(out, y);
  } else {
    _mm512_mask_storeu_ps(out, LaneMask(tile.channels - block * kBlock), y);
  }
}

// The levels' bits: the set of reached thresholds is a prefix of their list, so a plane's bits are
// the XOR of the masks at which its bit changes.
inline void StoreLevels(const Call& call, const Tile& tile, int pixel, int block, __m512i sums) {
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

// The only sum of a block, from its counts.
inline void StoreBlock(const Call& call, const Tile& tile, int pixel, int block, __m512i counts) {
  const __m512i sums = Sums(call.geometry.filter, tile, pixel, block, 0, 0, counts);
  if (call.transform.type == OutputType::kLevels) {
    StoreLevels(call, tile, pixel, block, sums);
    return;
  }
  const __m512 scale = _mm512_loadu_ps(call.transform.scales + tile.channel + block * kBlock);
  StoreFloats(call, tile, pixel, block, _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
}

// From memory: [kBlock].
inline void StoreBlock(const Call& call, const Tile& tile, int pixel, int block,
                       const std::int32_t* counts) {
  StoreBlock(call, tile, pixel, block, _mm512_loadu_si512(counts));
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
