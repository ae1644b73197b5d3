#include "kernels/kbit_conv2d/neon_lut_sums.h"

#include <arm_neon.h>

#include <algorithm>

#include "kernels/kbit_conv2d/neon_lut_loops.h"
#include "kernels/kbit_conv2d/neon_outputs.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

// The tables under the windows of some units.
struct Window {
  const std::uint8_t* const* rows;  // [filter rows], and any behind the last
  std::size_t offset;               // of the first unit's in a row
  std::size_t pitch;                // from unit to unit
  int steps;                        // of a row
  int chunks;                       // of steps, whose sums fit
  int chunk;                        // steps of a chunk; of the first `larger` chunks, one more
  int larger;
};

// Where sums go: vector v of kLanes channels of unit u at (v * pitch + u) * kLanes.
struct Place {
  std::int32_t* first;
  std::int32_t* second;  // of pairs
  int pitch;
  int vectors;           // of kLanes channels, those that there are
  std::uint16_t factor;  // of this weight plane
  bool add;              // to what is there, or put
};

[[gnu::always_inline]] inline void Put(std::int32_t* out, uint16x8_t sums, const Place& place) {
  const uint16x8_t factor = vdupq_n_u16(place.factor);
  uint32x4_t low = vmull_u16(vget_low_u16(sums), vget_low_u16(factor));
  uint32x4_t high = vmull_high_u16(sums, factor);
  if (place.add) {
    low = vaddq_u32(low, vreinterpretq_u32_s32(vld1q_s32(out)));
    high = vaddq_u32(high, vreinterpretq_u32_s32(vld1q_s32(out + 4)));
  }
  vst1q_s32(out, vreinterpretq_s32_u32(low));
  vst1q_s32(out + 4, vreinterpretq_s32_u32(high));
}

// The two pixels' sums of 16 channels: the first 8 and the others.
struct PairTotals {
  uint16x8_t first[2] = {vdupq_n_u16(0), vdupq_n_u16(0)};
  uint16x8_t second[2] = {vdupq_n_u16(0), vdupq_n_u16(0)};

  [[gnu::always_inline]] inline void Add(uint8x16_t raw, uint8x16_t high) {
    const uint8x16_t low = vsubq_u8(raw, vshlq_n_u8(high, 4));
    first[0] = vaddw_u8(first[0], vget_low_u8(low));
    first[1] = vaddw_high_u8(first[1], low);
    second[0] = vaddw_u8(second[0], vget_low_u8(high));
    second[1] = vaddw_high_u8(second[1], high);
  }
};

// Both sums of all units and vectors of a chunk.
template <typename Loop, int units, int vectors>
struct Chunk {
  using Vector = typename Loop::Vector;
  static constexpr int kVectors = units * vectors;  // of each of the two
  Vector a[units][vectors];
  Vector b[units][vectors];

  [[gnu::always_inline]] inline void Clear() {
#pragma GCC unroll 2
    for (int u = 0; u < units; ++u) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) a[u][v] = b[u][v] = Vector{};
    }
  }

  [[gnu::always_inline]] inline void Keep(Vector* partial) const {
#pragma GCC unroll 2
    for (int u = 0; u < units; ++u) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        partial[u * vectors + v] = a[u][v];
        partial[kVectors + u * vectors + v] = b[u][v];
      }
    }
  }
};

// All lookups of one weight plane for `units` units and `vectors` x 16 output channels. Sums of all
// chunks but the last wait in `partial`.
template <typename Loop, int units, int vectors>
void Sum(const Window& window, const std::uint8_t* weights, std::uint8_t* partial, Place place) {
  using Sums = Chunk<Loop, units, vectors>;
  using Vector = typename Loop::Vector;
  const std::uint8_t* const* row = window.rows;
  const std::uint8_t* tables = *row + window.offset;
  int in_row = window.steps;
  Sums sums;
  const auto add = [&](int left) __attribute__((always_inline)) {
    sums.Clear();
    do {
      const int steps = left < in_row ? left : in_row;
      weights = Loop::Add(tables, window.pitch, weights, steps, sums.a, sums.b);
      in_row -= steps;
      left -= steps;
      tables += std::size_t(steps) * Loop::kAtOnce * kTableBytes;
      if (in_row == 0) {
        tables = *++row + window.offset;
        in_row = window.steps;
      }
    } while (left > 0);
  };
  auto* const kept = reinterpret_cast<Vector*>(partial);
  Vector* keep = kept;
  add(window.chunk + (0 < window.larger));
  for (int chunk = 1; chunk < window.chunks; ++chunk, keep += 2 * Sums::kVectors) {
    sums.Keep(keep);
    add(window.chunk + (chunk < window.larger));
  }
  const std::size_t half = std::size_t(place.pitch) * kLanes;
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) {
    const bool both = 2 * v + 1 < place.vectors;
#pragma GCC unroll 2
    for (int u = 0; u < units; ++u) {
      const int at = u * vectors + v;
      std::int32_t* out = place.first + 2 * v * half + u * kLanes;
      if constexpr (Loop::kPairs) {
        PairTotals totals;
        totals.Add(sums.a[u][v], sums.b[u][v]);
        for (const Vector* get = kept; get < keep; get += 2 * Sums::kVectors) {
          totals.Add(get[at], get[Sums::kVectors + at]);
        }
        std::int32_t* second = place.second + 2 * v * half + u * kLanes;
        Put(out, totals.first[0], place);
        Put(second, totals.second[0], place);
        if (both) {
          Put(out + half, totals.first[1], place);
          Put(second + half, totals.second[1], place);
        }
      } else {
        Put(out, sums.a[u][v], place);
        if (both) Put(out + half, sums.b[u][v], place);
        Place more = place;
        more.add = true;
        for (const Vector* get = kept; get < keep; get += 2 * Sums::kVectors) {
          Put(out, get[at], more);
          if (both) Put(out + half, get[Sums::kVectors + at], more);
        }
      }
    }
  }
}

using SumFunction = void (*)(const Window&, const std::uint8_t* weights, std::uint8_t* partial,
                             Place);
using SumFunctions = SumFunction[2][kBlockVectors];  // [units - 1][vectors - 1]

template <typename Loop>
constexpr SumFunctions kSum = {
    {Sum<Loop, 1, 1>, Sum<Loop, 1, 2>, Sum<Loop, 1, 3>, Sum<Loop, 1, 4>},
    {Sum<Loop, 2, 1>, Sum<Loop, 2, 2>, Sum<Loop, 2, 3>, Sum<Loop, 2, 4>}};

const SumFunctions& FunctionsFor(Entry entry) {
  switch (entry) {
    case Entry::kPairOf1Bit:
      return kSum<PairsOf1Bit>;
    case Entry::kPairOf2Bits:
      return kSum<PairsOf2Bits>;
    default:
      return kSum<Singles>;
  }
}

}  // namespace

std::size_t PartialBytes(const Filter& filter, const Lookups& lookups) {
  return lookups.Chunks(filter) * std::size_t(2 * 2 * kBlockVectors * kVector);
}

void SumTile(const Call& call, const Lookups& lookups, const TableRows& rows,
             const std::uint8_t* const* row_pointers, int x, int units, std::uint8_t* partial,
             std::int32_t* first, std::int32_t* second) {
  const Filter& filter = call.geometry.filter;
  const int stride = call.geometry.x.stride;
  const int planes = filter.weights.planes;
  const int all_vectors = Vectors(filter);
  const std::size_t term = std::size_t(all_vectors) * units * kLanes;
  const int steps = filter.height * lookups.steps;
  Window window;
  window.rows = row_pointers;
  window.steps = lookups.steps;
  window.chunks = lookups.Chunks(filter);
  window.chunk = steps / window.chunks;
  window.larger = steps % window.chunks;
  const SumFunctions& functions = FunctionsFor(lookups.entry);
  const auto* weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  for (int block = 0; block < lookups.vectors; block += kBlockVectors) {
    const int vectors = std::min(kBlockVectors, lookups.vectors - block);
    for (int i = 0; i < planes; ++i, weights += lookups.BlockBytes(filter, vectors)) {
      for (int j = 0; j < lookups.planes; ++j) {
        const std::size_t to_term = filter.bases ? (i * lookups.planes + j) * term : 0;
        for (int u = 0; u < units; u += 2) {
          const int count = std::min(2, units - u);
          const std::size_t column = std::size_t(x + u) * stride;
          const std::size_t place = rows.columns.Place(column);
          window.offset = j * rows.plane_bytes + place * rows.column_bytes;
          window.pitch =
              count == 2 ? (rows.columns.Place(column + stride) - place) * rows.column_bytes : 0;
          const std::size_t at = to_term + (2 * std::size_t(block) * units + u) * kLanes;
          functions[count - 1][vectors - 1](
              window, weights, partial,
              {first + at, second + at, units, all_vectors - 2 * block,
               static_cast<std::uint16_t>(Multiplier(filter) << (filter.bases ? 0 : i)),
               !filter.bases && i > 0});
        }
      }
    }
  }
}

}  // namespace tfkit::kbit_conv2d::neon
