// Tables instead of bit counts, for cores whose TBL is as fast as any vector instruction.
//
// A table holds, for 5 input channels and all 32 values of 5 weight bits, the sum of the channels'
// activations whose weight bit is set; TBL looks it up for 16 output channels at once. A weight
// plane is one pass over the same tables, so the cost is linear in W and, but for what fits a byte
// (`Entry`), flat in A:
//
//   bits of an activation   a byte holds                 instructions for its 16 x products
//   1                       two pixels, 3 lookups each   7 for 480
//   2                       two pixels, 1 lookup each    3 for 160
//   3, 4                    one pixel, 3 lookups         7 for 240
//
// The two pixels are half an output row apart, one in the low nibble, the other in the high. With
// sums s of such bytes, raw += s and high += s >> 4: the low nibbles' sum is raw - 16 * high (mod
// 256), so `raw` may overflow; `high` must not, and is moved to 16 bits in time.
//
// With bases each activation plane has tables of its own, of one bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"
#include "kernels/kbit_conv2d/kernel.h"
#include "kernels/kbit_conv2d/neon_rows.h"

namespace tfkit::kbit_conv2d::neon {

constexpr int kTableChannels = 5;
constexpr std::size_t kTableBytes = 32;
constexpr int kVector = 16;       // output channels of a lookup
constexpr int kBlockVectors = 4;  // of output channels whose sums stay in registers

// What a byte of a table holds.
enum class Entry { kPairOf1Bit, kPairOf2Bits, kSingle };

// What the filter decides.
struct Lookups {
  Entry entry;
  int planes;      // sets of tables
  int table_bits;  // activation planes in a table
  int tables;      // of a pixel or a pair, and set
  int at_once;     // lookups of a step
  int steps;       // under a row of the filter
  int most_steps;  // whose sums fit
  int vectors;     // of output channels

  explicit Lookups(const Filter& filter)
      : planes(filter.bases ? filter.activations.planes : 1),
        table_bits(filter.bases ? 1 : filter.activations.planes),
        tables((filter.channels_in + kTableChannels - 1) / kTableChannels),
        vectors((filter.channels_out + kVector - 1) / kVector) {
    entry = table_bits == 1   ? Entry::kPairOf1Bit
            : table_bits == 2 ? Entry::kPairOf2Bits
                              : Entry::kSingle;
    at_once = entry == Entry::kPairOf2Bits ? 1 : 3;
    steps = (filter.width * tables + at_once - 1) / at_once;
    most_steps = Pairs() ? 255 / 15 : 0xffff / (3 * kTableChannels * 15);
  }

  bool Pairs() const { return entry != Entry::kSingle; }

  // Bytes of weights: of one plane and a block of channels.
  std::size_t BlockBytes(const Filter& filter, int block_vectors) const {
    return std::size_t(filter.height) * steps * at_once * block_vectors * kVector;
  }

  // Parts of the steps, each with sums that fit.
  int Chunks(const Filter& filter) const {
    return (filter.height * steps + most_steps - 1) / most_steps;
  }
};

// Rows of tables: [planes][places][tables][kTableBytes].
struct TableRows {
  int units;        // of an output row: pixels, or pairs of them
  Columns columns;  // that have tables
  Columns bits;     // of the rows of bits, for the second pixels of pairs too
  std::size_t column_bytes;
  std::size_t plane_bytes;
  std::size_t row_bytes;

  TableRows(const Geometry& geometry, const Lookups& lookups)
      : units(lookups.Pairs() ? (geometry.x.output + 1) / 2 : geometry.x.output),
        columns(geometry, units),
        bits(geometry, lookups.Pairs() ? 2 * units : units),
        column_bytes(lookups.tables * kTableBytes),
        plane_bytes(columns.Places() * column_bytes),
        // A last, incomplete step reads beyond its tables.
        row_bytes(lookups.planes * plane_bytes + lookups.at_once * kTableBytes) {}
};

// The row's tables from its bits.
void PutTableRow(const Geometry&, const Lookups&, const TableRows&, const std::uint32_t* bits,
                 std::uint8_t* tables);

// words: uint8 [channel blocks][weight planes][filter rows][steps][lookups][vectors of the
// block][kVector], an index into a table each.
PackedFilter PackLookups(const Filter&, const std::uint32_t* stored);

}  // namespace tfkit::kbit_conv2d::neon
