#include "kernels/bconv2d/neon_lut_tables.h"

#include <arm_neon.h>

#include <cstring>

namespace tfkit::bconv2d::neon {
namespace {

constexpr std::size_t kWordBytes = sizeof(std::uint32_t);

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
  // All loads before the first store, which might hit what is loaded for all that a compiler knows.
  const uint8x16_t a0 = vld1q_u8(a), a1 = vld1q_u8(a + 16);
  const uint8x16_t b0 = vld1q_u8(b), b1 = vld1q_u8(b + 16);
  vst1q_u8(table, vaddq_u8(a0, b0));
  vst1q_u8(table + 16, vaddq_u8(a1, b1));
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

constexpr std::int64_t kNobody = -1;

// Names a row of tables by its image and lower input row.
std::int64_t Owner(std::int64_t n, int y) { return (n << 32) + (std::int64_t{y} + (1 << 30)); }

}  // namespace

Ring::Ring(const Call& call, const Lookups& lookups, const Rows& rows, std::uint8_t* tables,
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

const std::uint8_t* Ring::Get(std::int64_t n, int oy, int fy) {
  const int low = call_.geometry.y.Pixel(oy, fy);
  const std::int64_t owner = Owner(n, low);
  int slot = 0;
  while (slot < slots_ && owners_[slot] != owner) ++slot;
  if (slot == slots_) {
    slot = Unneeded(n, oy);
    owners_[slot] = owner;
    Put(n, low, Row(slot));
  }
  return Row(slot);
}

// A slot that no row of the pair `oy` is in.
int Ring::Unneeded(std::int64_t n, int oy) const {
  for (int slot = 0;; ++slot) {
    bool needed = false;
    for (int fy = 0; fy < slots_; ++fy) {
      needed = needed || owners_[slot] == Owner(n, call_.geometry.y.Pixel(oy, fy));
    }
    if (!needed) return slot;
  }
}

// The tables of input row `low` and the one that it is paired with; outside the image bits are
// clear.
void Ring::Put(std::int64_t n, int low, std::uint8_t* tables) const {
  const Geometry& geometry = call_.geometry;
  const std::size_t pixel_bytes = geometry.InputWords() * kWordBytes;
  const std::uint8_t* sources[2] = {clear_, clear_};
  std::size_t pitches[2] = {0, 0};
  const int ys[2] = {low, low + Half(geometry) * geometry.y.stride};
  for (int i = 0; i < 2; ++i) {
    if (!geometry.y.Inside(ys[i])) continue;
    sources[i] = reinterpret_cast<const std::uint8_t*>(call_.input) +
                 (std::size_t(n) * geometry.y.input + ys[i]) * geometry.x.input * pixel_bytes;
    pitches[i] = pixel_bytes;
  }
  for (int phase = 0; phase < rows_.dilation; ++phase) {
    std::uint8_t* table = tables + rows_.Offset(phase);
    for (int column = phase; column < rows_.columns; column += rows_.dilation) {
      const int x = column - geometry.x.pad_before;
      const bool inside = geometry.x.Inside(x);
      PutTables(inside ? sources[0] + x * pitches[0] : clear_,
                inside ? sources[1] + x * pitches[1] : clear_, static_cast<int>(pixel_bytes),
                lookups_.tables, table);
      table += rows_.column_bytes;
    }
  }
}

}  // namespace tfkit::bconv2d::neon
