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
#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "kernels/bconv2d/neon_cores.h"
#include "kernels/bconv2d/neon_output.h"
#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d {
namespace {

using neon::kLanes;

constexpr int kBits = 5;                 // input channels of a table
constexpr std::size_t kTableBytes = 32;  // 2^kBits
constexpr int kLookups = 3;              // whose sum a nibble holds
constexpr int kMaxTriples = 255 / 15;    // whose sum `high` holds
constexpr int kVector = 16;              // output channels of a lookup
constexpr int kBlockVectors = 4;         // of output channels whose sums stay in registers
constexpr int kTilePixels = 8;           // pixels of a row whose counts are stored at once
constexpr std::size_t kMaxTableBytes = std::size_t{1} << 26;
constexpr std::uint8_t kNothing = 0xff;  // beyond any table: TBL gives 0
constexpr std::size_t kWordBytes = sizeof(std::uint32_t);

// What the filter decides.
struct Lookups {
  int tables;   // of a pixel
  int triples;  // of lookups under a row of the filter
  int vectors;  // of output channels

  explicit Lookups(const Filter& filter)
      : tables((filter.channels_in + kBits - 1) / kBits),
        triples((filter.width * tables + kLookups - 1) / kLookups),
        vectors((filter.channels_out + kVector - 1) / kVector) {}

  // A part of the lookups whose sums 8 bits hold.
  int Chunks(const Filter& filter) const {
    return (filter.height * triples + kMaxTriples - 1) / kMaxTriples;
  }

  std::size_t BlockBytes(const Filter& filter, int block_vectors) const {
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

  Rows(const Geometry& geometry, const Lookups& lookups)
      : columns(geometry.x.Pixel(geometry.x.output - 1, geometry.filter.width - 1) +
                geometry.x.pad_before + 1),
        dilation(geometry.x.dilation),
        per_phase((columns + dilation - 1) / dilation),
        column_bytes(lookups.tables * kTableBytes),
        // A last, incomplete triple reads beyond its tables.
        row_bytes(std::size_t(per_phase) * dilation * column_bytes + kLookups * kTableBytes) {}

  std::size_t Offset(int column) const {
    return (std::size_t(column % dilation) * per_phase + column / dilation) * column_bytes;
  }
};

// Output rows `row` and `row + half`; where the height is odd the last pair has no second.
int Half(const Geometry& geometry) { return (geometry.y.output + 1) / 2; }

// [channel blocks][filter rows][triples][lookups][vectors of the block][channels]
PackedFilter Pack(const Filter& filter, const std::uint32_t* source) {
  const Lookups lookups(filter);
  const int words = filter.WordsPerGroup();
  PackedFilter packed;
  packed.words = Buffer((lookups.BlockBytes(filter, lookups.vectors) + 7) / 8);
  packed.zero_tap = PackZeroTaps(filter, source);
  auto* out = reinterpret_cast<std::uint8_t*>(packed.words.data());
  for (int block = 0; block < lookups.vectors; block += kBlockVectors) {
    const int channels = std::min(kBlockVectors, lookups.vectors - block) * kVector;
    for (int fy = 0; fy < filter.height; ++fy) {
      for (int i = 0; i < lookups.triples * kLookups; ++i) {
        const int fx = i / lookups.tables;
        const int table = i % lookups.tables;
        for (int c = block * kVector; c < block * kVector + channels; ++c, ++out) {
          *out = kNothing;
          if (fx >= filter.width || c >= filter.channels_out) continue;
          const std::uint32_t* tap =
              source + (std::size_t(c * filter.height + fy) * filter.width + fx) * words;
          *out = 0;
          for (int j = 0; j < kBits && table * kBits + j < filter.channels_in; ++j) {
            const int bit = table * kBits + j;
            *out |= (tap[bit / kWordBits] >> bit % kWordBits & 1) << j;
          }
        }
      }
    }
  }
  return packed;
}

// How many bits each 5-bit number differs in from each other one; in the low nibble, in the high.
struct Differences {
  alignas(32) std::uint8_t low[32][kTableBytes];
  alignas(32) std::uint8_t high[32][kTableBytes];
};

constexpr Differences MakeDifferences() {
  Differences differences = {};
  for (int a = 0; a < 32; ++a) {
    for (int b = 0; b < 32; ++b) {
      int count = 0;
      for (int bit = 0; bit < kBits; ++bit) count += (a ^ b) >> bit & 1;
      differences.low[a][b] = static_cast<std::uint8_t>(count);
      differences.high[a][b] = static_cast<std::uint8_t>(count << 4);
    }
  }
  return differences;
}

constexpr Differences kDifferences = MakeDifferences();

[[gnu::always_inline]] inline std::uint8_t* PutTable(unsigned low, unsigned high,
                                                     std::uint8_t* table) {
  const std::uint8_t* a = kDifferences.low[low];
  const std::uint8_t* b = kDifferences.high[high];
  vst1q_u8(table, vaddq_u8(vld1q_u8(a), vld1q_u8(b)));
  vst1q_u8(table + 16, vaddq_u8(vld1q_u8(a + 16), vld1q_u8(b + 16)));
  return table + kTableBytes;
}

// The tables of a pair of pixels, 8 from 40 bits at a time.
void PutTables(const std::uint8_t* low, const std::uint8_t* high, int bytes, int count,
               std::uint8_t* table) {
  for (; count > 0; count -= 8, low += kBits, high += kBits, bytes -= kBits) {
    std::uint64_t a = 0, b = 0;
    if (bytes >= 8) {
      std::memcpy(&a, low, 8);
      std::memcpy(&b, high, 8);
    } else {
      std::memcpy(&a, low, bytes);
      std::memcpy(&b, high, bytes);
    }
    if (count >= 8) {
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i, a >>= kBits, b >>= kBits) {
        table = PutTable(a & 31, b & 31, table);
      }
    } else {
      for (int i = 0; i < count; ++i, a >>= kBits, b >>= kBits) {
        table = PutTable(a & 31, b & 31, table);
      }
    }
  }
}

// One row of tables: the pair of input rows `low` and `high`, clear bits outside the image.
void PutRow(const Call& call, const Lookups& lookups, const Rows& rows, std::int64_t n, int low,
            int high, const std::uint8_t* clear, std::uint8_t* tables) {
  const Geometry& geometry = call.geometry;
  const std::size_t pixel_bytes = geometry.InputWords() * kWordBytes;
  const std::uint8_t* sources[2] = {clear, clear};
  std::size_t pitches[2] = {0, 0};
  const int ys[2] = {low, high};
  for (int i = 0; i < 2; ++i) {
    if (!geometry.y.Inside(ys[i])) continue;
    sources[i] = reinterpret_cast<const std::uint8_t*>(call.input) +
                 (std::size_t(n) * geometry.y.input + ys[i]) * geometry.x.input * pixel_bytes;
    pitches[i] = pixel_bytes;
  }
  for (int column = 0; column < rows.columns; ++column) {
    const int x = column - geometry.x.pad_before;
    const bool inside = geometry.x.Inside(x);
    PutTables(inside ? sources[0] + x * pitches[0] : clear,
              inside ? sources[1] + x * pitches[1] : clear, static_cast<int>(pixel_bytes),
              lookups.tables, tables + rows.Offset(column));
  }
}

// Counts of the two rows: uint16 [vectors of kLanes channels, pixels, kLanes].
struct CountRows {
  std::uint16_t* low;
  std::uint16_t* high;
  std::size_t pitch;  // from one vector of channels to the next
};

[[gnu::always_inline]] inline uint8x16x2_t LoadTable(const std::uint8_t* table) {
  return {{vld1q_u8(table), vld1q_u8(table + 16)}};
}

// The tables under the windows of some pixels.
struct Window {
  const std::uint8_t* const* rows;  // [filter rows]
  std::size_t offset;               // of the first pixel's in a row
  std::size_t pitch;                // from pixel to pixel
  int triples;                      // of a row
  int chunks;                       // of triples, as `high` can hold them
  int chunk;                        // triples of a chunk; of the first `larger` chunks, one more
  int larger;
};

// Adds `triples` triples of lookups to the sums of pairs of pixels and vectors of channels.
template <int pairs, int vectors>
[[gnu::always_inline]] inline const std::uint8_t* AddTriples(
    const std::uint8_t* tables, std::size_t pitch, const std::uint8_t* weights, int triples,
    uint8x16_t (&raw)[pairs][vectors], uint8x16_t (&high)[pairs][vectors]) {
  for (int triple = 0; triple < triples; ++triple) {
    uint8x16_t sums[pairs][vectors];
#pragma GCC unroll 3
    for (int lookup = 0; lookup < kLookups; ++lookup) {
      uint8x16x2_t table[pairs];
#pragma GCC unroll 2
      for (int p = 0; p < pairs; ++p) {
        table[p] = LoadTable(tables + p * pitch + lookup * kTableBytes);
      }
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        const uint8x16_t index = vld1q_u8(weights + (lookup * vectors + v) * kVector);
#pragma GCC unroll 2
        for (int p = 0; p < pairs; ++p) {
          const uint8x16_t found = vqtbl2q_u8(table[p], index);
          sums[p][v] = lookup == 0 ? found : vaddq_u8(sums[p][v], found);
        }
      }
    }
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        raw[p][v] = vaddq_u8(raw[p][v], sums[p][v]);
        high[p][v] = vsraq_n_u8(high[p][v], sums[p][v], 4);
      }
    }
    tables += kLookups * kTableBytes;
    weights += kLookups * vectors * kVector;
  }
  return weights;
}

// The same for two pairs and four vectors. Its 16 sums leave just enough registers, which
// compilers do not manage to keep to.
[[gnu::always_inline]] inline const std::uint8_t* AddTriples(const std::uint8_t* tables,
                                                             std::size_t pitch,
                                                             const std::uint8_t* weights,
                                                             int triples, uint8x16_t (&raw)[2][4],
                                                             uint8x16_t (&high)[2][4]) {
  const std::uint8_t* second = tables + pitch;
  std::int64_t left = triples;
  // clang-format off
  asm("1:\n"
      "subs %[n], %[n], #1\n"
      "ldp q0, q1, [%[t0], #0]\n"
      "ldp q2, q3, [%[t1], #0]\n"
      "ldp q12, q13, [%[w], #0]\n"
      "tbl v4.16b, {v0.16b, v1.16b}, v12.16b\n"
      "tbl v5.16b, {v2.16b, v3.16b}, v12.16b\n"
      "tbl v6.16b, {v0.16b, v1.16b}, v13.16b\n"
      "tbl v7.16b, {v2.16b, v3.16b}, v13.16b\n"
      "ldp q12, q13, [%[w], #32]\n"
      "tbl v8.16b, {v0.16b, v1.16b}, v12.16b\n"
      "tbl v9.16b, {v2.16b, v3.16b}, v12.16b\n"
      "tbl v10.16b, {v0.16b, v1.16b}, v13.16b\n"
      "tbl v11.16b, {v2.16b, v3.16b}, v13.16b\n"
      "ldp q0, q1, [%[t0], #32]\n"
      "ldp q2, q3, [%[t1], #32]\n"
      "ldp q12, q13, [%[w], #64]\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v12.16b\n"
      "add v4.16b, v4.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v12.16b\n"
      "add v5.16b, v5.16b, v14.16b\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v13.16b\n"
      "add v6.16b, v6.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v13.16b\n"
      "add v7.16b, v7.16b, v14.16b\n"
      "ldp q12, q13, [%[w], #96]\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v12.16b\n"
      "add v8.16b, v8.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v12.16b\n"
      "add v9.16b, v9.16b, v14.16b\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v13.16b\n"
      "add v10.16b, v10.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v13.16b\n"
      "add v11.16b, v11.16b, v14.16b\n"
      "ldp q0, q1, [%[t0], #64]\n"
      "ldp q2, q3, [%[t1], #64]\n"
      "ldp q12, q13, [%[w], #128]\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v12.16b\n"
      "add v4.16b, v4.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v12.16b\n"
      "add v5.16b, v5.16b, v14.16b\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v13.16b\n"
      "add v6.16b, v6.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v13.16b\n"
      "add v7.16b, v7.16b, v14.16b\n"
      "ldp q12, q13, [%[w], #160]\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v12.16b\n"
      "add v8.16b, v8.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v12.16b\n"
      "add v9.16b, v9.16b, v14.16b\n"
      "tbl v14.16b, {v0.16b, v1.16b}, v13.16b\n"
      "add v10.16b, v10.16b, v14.16b\n"
      "tbl v14.16b, {v2.16b, v3.16b}, v13.16b\n"
      "add v11.16b, v11.16b, v14.16b\n"
      "add %[r00].16b, %[r00].16b, v4.16b\n"
      "usra %[h00].16b, v4.16b, #4\n"
      "add %[r10].16b, %[r10].16b, v5.16b\n"
      "usra %[h10].16b, v5.16b, #4\n"
      "add %[r01].16b, %[r01].16b, v6.16b\n"
      "usra %[h01].16b, v6.16b, #4\n"
      "add %[r11].16b, %[r11].16b, v7.16b\n"
      "usra %[h11].16b, v7.16b, #4\n"
      "add %[r02].16b, %[r02].16b, v8.16b\n"
      "usra %[h02].16b, v8.16b, #4\n"
      "add %[r12].16b, %[r12].16b, v9.16b\n"
      "usra %[h12].16b, v9.16b, #4\n"
      "add %[r03].16b, %[r03].16b, v10.16b\n"
      "usra %[h03].16b, v10.16b, #4\n"
      "add %[r13].16b, %[r13].16b, v11.16b\n"
      "usra %[h13].16b, v11.16b, #4\n"
      "add %[t0], %[t0], #96\n"
      "add %[t1], %[t1], #96\n"
      "add %[w], %[w], #192\n"
      "b.ne 1b\n"
      : [r00] "+w"(raw[0][0]), [h00] "+w"(high[0][0]), [r01] "+w"(raw[0][1]), [h01] "+w"(high[0][1]), [r02] "+w"(raw[0][2]), [h02] "+w"(high[0][2]), [r03] "+w"(raw[0][3]), [h03] "+w"(high[0][3]), [r10] "+w"(raw[1][0]), [h10] "+w"(high[1][0]), [r11] "+w"(raw[1][1]), [h11] "+w"(high[1][1]), [r12] "+w"(raw[1][2]), [h12] "+w"(high[1][2]), [r13] "+w"(raw[1][3]), [h13] "+w"(high[1][3]), [t0] "+r"(tables), [t1] "+r"(second), [w] "+r"(weights), [n] "+r"(left)
      :
      : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14");
  // clang-format on
  return weights;
}

template <int vectors>
[[gnu::always_inline]] inline void Put(const uint8x16_t (&sums)[vectors], std::uint8_t* partial) {
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) vst1q_u8(partial + v * kVector, sums[v]);
}

// All lookups for `pairs` pairs of pixels and `vectors` x 16 output channels. A chunk's sums go to
// `partial` [chunks][pairs][raw, high][vectors][16 channels] and are added up at the end.
template <int pairs, int vectors>
void Sum(const Window& window, const std::uint8_t* weights, std::uint8_t* partial,
         const CountRows& counts) {
  constexpr int kSumBytes = vectors * kVector;
  constexpr int kPartialBytes = 2 * pairs * kSumBytes;
  const std::uint8_t* const* row = window.rows;
  const std::uint8_t* tables = *row + window.offset;
  int in_row = window.triples;
  for (int chunk = 0; chunk < window.chunks; ++chunk) {
    uint8x16_t raw[pairs][vectors], high[pairs][vectors];
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) raw[p][v] = high[p][v] = vdupq_n_u8(0);
    }
    int left = window.chunk + (chunk < window.larger);
    while (left > 0) {
      if (in_row == 0) {
        tables = *++row + window.offset;
        in_row = window.triples;
      }
      const int triples = left < in_row ? left : in_row;
      weights = AddTriples(tables, window.pitch, weights, triples, raw, high);
      in_row -= triples;
      left -= triples;
      tables += std::size_t(triples) * kLookups * kTableBytes;
    }
    std::uint8_t* put = partial + chunk * kPartialBytes;
#pragma GCC unroll 2
    for (int p = 0; p < pairs; ++p) {
      Put(raw[p], put + 2 * p * kSumBytes);
      Put(high[p], put + (2 * p + 1) * kSumBytes);
    }
  }
  for (int p = 0; p < pairs; ++p) {
    for (int v = 0; v < vectors; ++v) {
      uint16x8_t sums[4];
      for (uint16x8_t& sum : sums) sum = vdupq_n_u16(0);
      const std::uint8_t* get = partial + 2 * p * kSumBytes + v * kVector;
      for (int chunk = 0; chunk < window.chunks; ++chunk, get += kPartialBytes) {
        const uint8x16_t high = vld1q_u8(get + kSumBytes);
        const uint8x16_t low = vsubq_u8(vld1q_u8(get), vshlq_n_u8(high, 4));
        sums[0] = vaddw_u8(sums[0], vget_low_u8(low));
        sums[1] = vaddw_high_u8(sums[1], low);
        sums[2] = vaddw_u8(sums[2], vget_low_u8(high));
        sums[3] = vaddw_high_u8(sums[3], high);
      }
      const std::size_t at = 2 * v * counts.pitch + p * kLanes;
      vst1q_u16(counts.low + at, sums[0]);
      vst1q_u16(counts.low + at + counts.pitch, sums[1]);
      vst1q_u16(counts.high + at, sums[2]);
      vst1q_u16(counts.high + at + counts.pitch, sums[3]);
    }
  }
}

using SumFunction = void (*)(const Window&, const std::uint8_t* weights, std::uint8_t* partial,
                             const CountRows&);

// [pairs - 1][vectors - 1]
constexpr SumFunction kSum[2][kBlockVectors] = {{Sum<1, 1>, Sum<1, 2>, Sum<1, 3>, Sum<1, 4>},
                                                {Sum<2, 1>, Sum<2, 2>, Sum<2, 3>, Sum<2, 4>}};

// The thread's scratch.
struct Scratch {
  std::size_t tables, counts, partial, pointers, d, owners, clear, end;  // offsets in bytes

  explicit Scratch(const Geometry& geometry) {
    const Lookups lookups(geometry.filter);
    const auto aligned = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    tables = 0;
    counts = aligned(geometry.filter.height * Rows(geometry, lookups).row_bytes);
    partial = counts + CountsBytes(lookups) * 2;
    pointers = partial + lookups.Chunks(geometry.filter) * std::size_t(4 * kBlockVectors * kVector);
    d = pointers + aligned(geometry.filter.height * sizeof(const std::uint8_t*));
    owners = d + aligned(geometry.filter.channels_out * sizeof(std::int32_t));
    clear = owners + aligned(geometry.filter.height * sizeof(std::int64_t));
    end = clear + aligned(geometry.InputWords() * kWordBytes);
  }

  // Of one row; read as if a tile had all its pixels.
  static std::size_t CountsBytes(const Lookups& lookups) {
    return (std::size_t(lookups.vectors) * 2 + 1) * kTilePixels * kLanes * sizeof(std::uint16_t);
  }
};

Workspace NeededWorkspace(const Geometry& geometry) {
  return {0, Scratch(geometry).end / sizeof(std::uint64_t)};
}

// A unit is a pair of output rows.
std::int64_t Units(const Geometry& geometry, int) {
  return std::int64_t{geometry.batch} * Half(geometry);
}

// The rows of tables that exist: slot i holds the one of owners[i], image * 2^32 + lower input row.
class Ring {
 public:
  Ring(const Call& call, const Lookups& lookups, const Rows& rows, std::uint8_t* tables,
       std::int64_t* owners, const std::uint8_t* clear)
      : call_(call),
        lookups_(lookups),
        rows_(rows),
        tables_(tables),
        owners_(owners),
        clear_(clear),
        slots_(call.geometry.filter.height) {
    for (int slot = 0; slot < slots_; ++slot) owners_[slot] = kNobody;
  }

  // The row under filter row `fy` of a pair of output rows.
  const std::uint8_t* Get(std::int64_t n, int oy, int fy) {
    const WindowAxis& y = call_.geometry.y;
    const int low = y.Pixel(oy, fy);
    const std::int64_t owner = Owner(n, low);
    int slot = 0;
    while (slot < slots_ && owners_[slot] != owner) ++slot;
    if (slot == slots_) {
      slot = Unneeded(n, oy);
      owners_[slot] = owner;
      PutRow(call_, lookups_, rows_, n, low, low + Half(call_.geometry) * y.stride, clear_,
             Row(slot));
    }
    return Row(slot);
  }

 private:
  static constexpr std::int64_t kNobody = -1;

  static std::int64_t Owner(std::int64_t n, int y) {
    return (n << 32) + (std::int64_t{y} + (1 << 30));
  }

  std::uint8_t* Row(int slot) { return tables_ + slot * rows_.row_bytes; }

  // A slot that no row of the pair `oy` is in.
  int Unneeded(std::int64_t n, int oy) const {
    for (int slot = 0;; ++slot) {
      bool needed = false;
      for (int fy = 0; fy < slots_; ++fy) {
        needed = needed || owners_[slot] == Owner(n, call_.geometry.y.Pixel(oy, fy));
      }
      if (!needed) return slot;
    }
  }

  const Call& call_;
  const Lookups& lookups_;
  const Rows& rows_;
  std::uint8_t* tables_;
  std::int64_t* owners_;
  const std::uint8_t* clear_;
  const int slots_;
};

// All channels of pixels [x, x + pixels) of a pair of output rows.
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

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Lookups lookups(geometry.filter);
  const Rows rows(geometry, lookups);
  const Scratch scratch(geometry);
  auto* bytes = reinterpret_cast<std::uint8_t*>(own);
  auto* counts = reinterpret_cast<std::uint16_t*>(bytes + scratch.counts);
  std::uint16_t* counts_high = counts + Scratch::CountsBytes(lookups) / sizeof *counts;
  auto** pointers = reinterpret_cast<const std::uint8_t**>(bytes + scratch.pointers);
  auto* d = reinterpret_cast<std::int32_t*>(bytes + scratch.d);
  std::memset(bytes + scratch.clear, 0, scratch.end - scratch.clear);
  Ring ring(call, lookups, rows, bytes + scratch.tables,
            reinterpret_cast<std::int64_t*>(bytes + scratch.owners), bytes + scratch.clear);
  const int half = Half(geometry);
  const int width = geometry.x.output;
  const int tiles = (width + kTilePixels - 1) / kTilePixels;
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::int64_t n = unit / half;
    const int oy = static_cast<int>(unit % half);
    const std::size_t first = (std::size_t(n) * geometry.y.output + oy) * width;
    for (int fy = 0; fy < geometry.filter.height; ++fy) pointers[fy] = ring.Get(n, oy, fy);
    int x = 0;
    for (int tile = tiles; tile > 0; --tile) {
      // Even, as far as possible, since two pixels make a step.
      const int even = ((width - x + tile - 1) / tile + 1) / 2 * 2;
      const int pixels = std::min(even, width - x);
      SumTile(call, lookups, rows, pointers, x, pixels, bytes + scratch.partial,
              {counts, counts_high, std::size_t(pixels) * kLanes});
      const neon::Counts low = {counts, first + x, pixels};
      const neon::Counts high = {counts_high, first + std::size_t(half) * width + x, pixels};
      neon::Store(call, low);
      if (geometry.zero_padding) neon::StoreZeroPadded(call, low, d);
      if (oy + half < geometry.y.output) {
        neon::Store(call, high);
        if (geometry.zero_padding) neon::StoreZeroPadded(call, high, d);
      }
      x += pixels;
    }
  }
}

// Tables pay where many output channels and taps share them.
Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  const Filter& filter = geometry.filter;
  if (filter.groups != 1 || !filter.CountsFit16Bits() ||
      Scratch(geometry).tables + filter.height * Rows(geometry, Lookups(filter)).row_bytes >
          kMaxTableBytes) {
    return Fit::kCannot;
  }
  const bool shared = filter.Taps() >= 4 && filter.channels_out >= 32 && filter.channels_in >= 32 &&
                      geometry.y.output >= 2 && geometry.y.stride == 1 && geometry.x.stride == 1;
  return shared && neon::LoopFor(cpu) == neon::Loop::kLookup ? Fit::kSuits : Fit::kCan;
}

}  // namespace

const Kernel kernels::neon_lut = {"neon_lut",      Isa::kNeon, FitOf, Pack,
                                  NeededWorkspace, 1,          Units, Run};

}  // namespace tfkit::bconv2d
