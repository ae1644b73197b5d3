// Tables are sums of ready-made ones: for 5 bits of one plane, how many of them each 5 weight bits
// share, in the place of that plane (and pixel) in a byte.
#include <arm_neon.h>

#include <cstring>

#include "kernels/kbit_conv2d/neon_lut_layout.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

constexpr int kIndices = 1 << kTableChannels;
constexpr int kShifts = 6;

struct SharedBits {
  alignas(32) std::uint8_t table[kShifts][kIndices][kTableBytes];
};

constexpr SharedBits MakeSharedBits() {
  SharedBits shared = {};
  for (int shift = 0; shift < kShifts; ++shift) {
    for (int a = 0; a < kIndices; ++a) {
      for (int w = 0; w < kIndices; ++w) {
        int count = 0;
        for (int bit = 0; bit < kTableChannels; ++bit) count += (a & w) >> bit & 1;
        shared.table[shift][a][w] = static_cast<std::uint8_t>(count << shift);
      }
    }
  }
  return shared;
}

constexpr SharedBits kSharedBits = MakeSharedBits();

// A plane of a pixel, and where its bits count in a byte.
struct Source {
  const std::uint8_t* bits;
  int shift;
};

template <int count>
[[gnu::always_inline]] inline void PutTable(const Source (&sources)[count],
                                            std::uint64_t (&bits)[count], std::uint8_t* table) {
  uint8x16_t low = vdupq_n_u8(0);
  uint8x16_t high = vdupq_n_u8(0);
#pragma GCC unroll 4
  for (int s = 0; s < count; ++s) {
    const std::uint8_t* shared = kSharedBits.table[sources[s].shift][bits[s] % kIndices];
    bits[s] >>= kTableChannels;
    const uint8x16_t first = vld1q_u8(shared);
    const uint8x16_t second = vld1q_u8(shared + 16);
    low = s == 0 ? first : vaddq_u8(low, first);
    high = s == 0 ? second : vaddq_u8(high, second);
  }
  vst1q_u8(table, low);
  vst1q_u8(table + 16, high);
}

// The tables of a pixel or a pair, 8 from 40 bits at a time. Bits beyond the last channel may be
// anything: the weights' are clear there.
template <int count>
void PutTables(const Source (&sources)[count], int tables, std::uint8_t* out) {
  std::size_t byte = 0;
  for (; tables > 0; tables -= 8, byte += kTableChannels) {
    std::uint64_t bits[count];
    for (int s = 0; s < count; ++s) std::memcpy(&bits[s], sources[s].bits + byte, sizeof bits[s]);
    if (tables >= 8) {
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i, out += kTableBytes) PutTable(sources, bits, out);
    } else {
      for (int i = 0; i < tables; ++i, out += kTableBytes) PutTable(sources, bits, out);
    }
  }
}

}  // namespace

void PutTableRow(const Geometry& geometry, const Lookups& lookups, const TableRows& rows,
                 const std::uint32_t* bits, std::uint8_t* tables) {
  const Filter& filter = geometry.filter;
  const std::size_t pixel_bytes = filter.PlaneWords() * sizeof(std::uint32_t);
  const std::size_t plane_bytes = rows.bits.count * pixel_bytes;
  const std::size_t second = std::size_t(rows.units) * geometry.x.stride * pixel_bytes;
  const auto* low = reinterpret_cast<const std::uint8_t*>(bits);
  for (int plane = 0; plane < lookups.planes; ++plane, low += plane_bytes) {
    for (std::size_t column = 0; column < rows.columns.count; ++column) {
      const std::uint8_t* a = low + column * pixel_bytes;
      std::uint8_t* out =
          tables + plane * rows.plane_bytes + rows.columns.Place(column) * rows.column_bytes;
      switch (lookups.table_bits) {
        case 1:
          PutTables<2>({{a, 0}, {a + second, 4}}, lookups.tables, out);
          break;
        case 2: {
          const std::uint8_t* b = a + plane_bytes;
          PutTables<4>({{a, 0}, {b, 1}, {a + second, 4}, {b + second, 5}}, lookups.tables, out);
          break;
        }
        case 3:
          PutTables<3>({{a, 0}, {a + plane_bytes, 1}, {a + 2 * plane_bytes, 2}}, lookups.tables,
                       out);
          break;
        case 4:
          PutTables<4>(
              {{a, 0}, {a + plane_bytes, 1}, {a + 2 * plane_bytes, 2}, {a + 3 * plane_bytes, 3}},
              lookups.tables, out);
          break;
      }
    }
  }
}

}  // namespace tfkit::kbit_conv2d::neon
