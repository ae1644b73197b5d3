// Lookup tables instead of popcounts, for cores whose TBL is as fast as any vector instruction.
//
// A table holds, for 5 input channels of two pixels and all 32 values of 5 weight bits, in how many
// bits they differ: one pixel in the low nibble, the other in the high one. TBL looks it up for 16
// output channels at once, 160 products an instruction. Three lookups add up to at most 15 a
// nibble:
//
//   t = T0[w0] + T1[w1] + T2[w2];  raw += t;  high += t >> 4
//
// 7 instructions for 480 products, where EOR, CNT and ADDP take 11.25. The low nibbles' sum is
// raw - 16 * high (mod 256), so `raw` may overflow; `high` must not, and is moved to 16 bits in
// time.
//
// The two pixels are of output rows r and r + half the height: the rows under their windows are a
// pair too, and its tables serve all taps. They are kept in a ring of as many rows as the filter
// has.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"
#include "kernels/inlining.h"

namespace tfkit::bconv2d::neon {

constexpr int kBits = 5;                 // input channels of a table
constexpr std::size_t kTableBytes = 32;  // 2^kBits
constexpr int kLookups = 3;              // whose sum a nibble holds
constexpr int kMaxTriples = 255 / 15;    // whose sum `high` holds
constexpr int kVector = 16;              // output channels of a lookup
constexpr int kBlockVectors = 4;         // of output channels whose sums stay in registers
constexpr int kLutPixels = 8;            // pixels of a row whose counts are stored at once

// What the filter decides.
struct Lookups {
  int tables;   // of a pixel
  int triples;  // of lookups under a row of the filter
  int vectors;  // of output channels

  TFKIT_ALWAYS_INLINE explicit Lookups(const Filter& filter)
      : tables((filter.channels_in + kBits - 1) / kBits),
        triples((filter.width * tables + kLookups - 1) / kLookups),
        vectors((filter.channels_out + kVector - 1) / kVector) {}

  // A part of the lookups whose sums 8 bits hold.
  TFKIT_ALWAYS_INLINE int Chunks(const Filter& filter) const {
    return (filter.height * triples + kMaxTriples - 1) / kMaxTriples;
  }

  TFKIT_ALWAYS_INLINE std::size_t BlockBytes(const Filter& filter, int block_vectors) const {
    return std::size_t(filter.height) * triples * kLookups * block_vectors * kVector;
  }
};

// Rows of tables. Columns `dilation` apart lie side by side, so that a filter row's tables do.
struct Rows {
  int columns;  // of the input with the padding around it, as far as windows reach
  int dilation;
  int per_phase;  // columns of one remainder by `dilation`
  std::size_t column_bytes;
  std::size_t row_bytes;

  TFKIT_ALWAYS_INLINE Rows(const Geometry& geometry, const Lookups& lookups)
      : columns(geometry.x.Pixel(geometry.x.output - 1, geometry.filter.width - 1) +
                geometry.x.pad_before + 1),
        dilation(geometry.x.dilation),
        per_phase((columns + dilation - 1) / dilation),
        column_bytes(lookups.tables * kTableBytes),
        // A last, incomplete triple reads beyond its tables.
        row_bytes(std::size_t(per_phase) * dilation * column_bytes + kLookups * kTableBytes) {}

  TFKIT_ALWAYS_INLINE std::size_t Offset(int column) const {
    return (std::size_t(column % dilation) * per_phase + column / dilation) * column_bytes;
  }
};

// Output rows `row` and `row + half`; where the height is odd the last pair has no second.
TFKIT_ALWAYS_INLINE int Half(const Geometry& geometry) { return (geometry.y.output + 1) / 2; }

// [channel blocks][filter rows][triples][lookups][vectors of the block][channels]
PackedFilter PackLookups(const Filter&, const std::uint32_t* filter);

}  // namespace tfkit::bconv2d::neon
