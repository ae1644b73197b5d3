#include "kernels/bconv2d/neon_lut_sums.h"

#include <arm_neon.h>

#include <algorithm>

#include "kernels/bconv2d/neon_lut_triples.h"
#include "kernels/bconv2d/neon_output.h"

namespace tfkit::bconv2d::neon {
namespace {

// The tables under the windows of some pixels.
struct Window {
  const std::uint8_t* const* rows;  // [filter rows], and any behind the last
  std::size_t offset;               // of the first pixel's in a row
  std::size_t pitch;                // from pixel to pixel
  int triples;                      // of a row
  int chunks;                       // of triples, as `high` can hold them
  int chunk;                        // triples of a chunk; of the first `larger` chunks, one more
  int larger;
};

// Raw and high sums of a chunk [pairs][raw, high][vectors][16 channels].
template <int pairs, int vectors>
struct Chunk {
  static constexpr int kSumBytes = vectors * kVector;
  static constexpr int kBytes = 2 * pairs * kSumBytes;
  uint8x16_t raw[pairs][vectors];
  uint8x16_t high[pairs][vectors];

  [[gnu::always_inline]] inline void Clear() {
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) raw[p][v] = high[p][v] = vdupq_n_u8(0);
    }
  }

  [[gnu::always_inline]] inline void Put(std::uint8_t* bytes) const {
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p, bytes += 2 * kSumBytes) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) vst1q_u8(bytes + v * kVector, raw[p][v]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) vst1q_u8(bytes + kSumBytes + v * kVector, high[p][v]);
    }
  }
};

// Adds the two pixels' counts of 16 channels: the first 8 channels and the others.
struct Totals {
  uint16x8_t low[2];
  uint16x8_t high[2];

  [[gnu::always_inline]] inline void Add(uint8x16_t raw, uint8x16_t upper) {
    const uint8x16_t lower = vsubq_u8(raw, vshlq_n_u8(upper, 4));
    low[0] = vaddw_u8(low[0], vget_low_u8(lower));
    low[1] = vaddw_high_u8(low[1], lower);
    high[0] = vaddw_u8(high[0], vget_low_u8(upper));
    high[1] = vaddw_high_u8(high[1], upper);
  }
};

// All lookups for `pairs` pairs of pixels and `vectors` x 16 output channels. Sums of all chunks
// but the last wait in `partial`.
template <int pairs, int vectors>
void Sum(const Window& window, const std::uint8_t* weights, std::uint8_t* partial,
         const CountRows& counts) {
  using Sums = Chunk<pairs, vectors>;
  const std::uint8_t* const* row = window.rows;
  const std::uint8_t* tables = *row + window.offset;
  int in_row = window.triples;
  Sums sums;
  const auto add = [&](int left) __attribute__((always_inline)) {
    sums.Clear();
    do {
      const int triples = left < in_row ? left : in_row;
      weights = AddTriples(tables, window.pitch, weights, triples, sums.raw, sums.high);
      in_row -= triples;
      left -= triples;
      tables += std::size_t(triples) * kLookups * kTableBytes;
      if (in_row == 0) {
        tables = *++row + window.offset;
        in_row = window.triples;
      }
    } while (left > 0);
  };
  // The stores of a chunk's sums stand in front of the next one's lookups and go under them.
  std::uint8_t* put = partial;
  add(window.chunk + (0 < window.larger));
  for (int chunk = 1; chunk < window.chunks; ++chunk, put += Sums::kBytes) {
    sums.Put(put);
    add(window.chunk + (chunk < window.larger));
  }
  std::uint16_t* low = counts.low;
  std::uint16_t* high = counts.high;
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v, low += 2 * counts.pitch, high += 2 * counts.pitch) {
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p) {
      Totals totals = {{vdupq_n_u16(0), vdupq_n_u16(0)}, {vdupq_n_u16(0), vdupq_n_u16(0)}};
      totals.Add(sums.raw[p][v], sums.high[p][v]);
      const std::uint8_t* get = partial + 2 * p * Sums::kSumBytes + v * kVector;
      for (; get < put; get += Sums::kBytes) {
        totals.Add(vld1q_u8(get), vld1q_u8(get + Sums::kSumBytes));
      }
      vst1q_u16(low + p * kLanes, totals.low[0]);
      vst1q_u16(low + p * kLanes + counts.pitch, totals.low[1]);
      vst1q_u16(high + p * kLanes, totals.high[0]);
      vst1q_u16(high + p * kLanes + counts.pitch, totals.high[1]);
    }
  }
}

using SumFunction = void (*)(const Window&, const std::uint8_t* weights, std::uint8_t* partial,
                             const CountRows&);

// [pairs - 1][vectors - 1]
constexpr SumFunction kSum[2][kBlockVectors] = {{Sum<1, 1>, Sum<1, 2>, Sum<1, 3>, Sum<1, 4>},
                                                {Sum<2, 1>, Sum<2, 2>, Sum<2, 3>, Sum<2, 4>}};

}  // namespace

std::size_t PartialBytes(const Filter& filter) {
  return Lookups(filter).Chunks(filter) * std::size_t(4 * kBlockVectors * kVector);
}

void SumTile(const Call& call, const Lookups& lookups, const Rows& rows,
             const std::uint8_t* const* row_pointers, int x, int pixels, std::uint8_t* partial,
             const CountRows& counts) {
  const Filter& filter = call.geometry.filter;
  const int stride = call.geometry.x.stride;
  const int triples = filter.height * lookups.triples;
  Window window;
  window.rows = row_pointers;
  window.triples = lookups.triples;
  window.chunks = lookups.Chunks(filter);
  window.chunk = triples / window.chunks;
  window.larger = triples % window.chunks;
  const auto* weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  for (int block = 0; block < lookups.vectors; block += kBlockVectors) {
    const int vectors = std::min(kBlockVectors, lookups.vectors - block);
    for (int p = 0; p < pixels; p += 2) {
      const int pairs = std::min(2, pixels - p);
      window.offset = rows.Offset((x + p) * stride);
      window.pitch = pairs == 2 ? rows.Offset((x + p + 1) * stride) - window.offset : 0;
      const std::size_t at = 2 * block * counts.pitch + p * kLanes;
      kSum[pairs - 1][vectors - 1](window, weights, partial,
                                   {counts.low + at, counts.high + at, counts.pitch});
    }
    weights += lookups.BlockBytes(filter, vectors);
  }
}

}  // namespace tfkit::bconv2d::neon
