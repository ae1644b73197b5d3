// The innermost loops of the lookups, of each kind of table entry. Each adds `steps` steps to the
// two sums of every unit (pixel or pair) and vector of channels, and moves on in the weights.
#pragma once

#include <arm_neon.h>

#include "kernels/bconv2d/neon_lut_triples.h"
#include "kernels/kbit_conv2d/neon_lut_layout.h"

namespace tfkit::kbit_conv2d::neon {

struct PairsOf1Bit {
  using Vector = uint8x16_t;
  static constexpr bool kPairs = true;
  static constexpr int kAtOnce = 3;

  // The binary convolution's loop: only the tables differ.
  template <int units, int vectors>
  [[gnu::always_inline]] static inline const std::uint8_t* Add(
      const std::uint8_t* tables, std::size_t pitch, const std::uint8_t* weights, int steps,
      uint8x16_t (&raw)[units][vectors], uint8x16_t (&high)[units][vectors]) {
    return bconv2d::neon::AddTriples(tables, pitch, weights, steps, raw, high);
  }
};

struct PairsOf2Bits {
  using Vector = uint8x16_t;
  static constexpr bool kPairs = true;
  static constexpr int kAtOnce = 1;

  template <int units, int vectors>
  [[gnu::always_inline]] static inline const std::uint8_t* Add(
      const std::uint8_t* tables, std::size_t pitch, const std::uint8_t* weights, int steps,
      uint8x16_t (&raw)[units][vectors], uint8x16_t (&high)[units][vectors]) {
    for (int step = 0; step < steps; ++step, tables += kTableBytes) {
      uint8x16x2_t table[units];
#pragma GCC unroll 2
      for (int u = 0; u < units; ++u) table[u] = bconv2d::neon::LoadTable(tables + u * pitch);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v, weights += kVector) {
        const uint8x16_t index = vld1q_u8(weights);
#pragma GCC unroll 2
        for (int u = 0; u < units; ++u) {
          const uint8x16_t found = vqtbl2q_u8(table[u], index);
          raw[u][v] = vaddq_u8(raw[u][v], found);
          high[u][v] = vsraq_n_u8(high[u][v], found, 4);
        }
      }
    }
    return weights;
  }

#if defined(__clang__)  // g++ takes no more than 30 operands, and each sum is two of them
  // Two pairs and four vectors, in registers that compilers do not manage to keep to.
  [[gnu::always_inline]] static inline const std::uint8_t* Add(const std::uint8_t* tables,
                                                               std::size_t pitch,
                                                               const std::uint8_t* weights,
                                                               int steps, uint8x16_t (&raw)[2][4],
                                                               uint8x16_t (&high)[2][4]);
#endif
};

struct Singles {
  using Vector = uint16x8_t;
  static constexpr bool kPairs = false;
  static constexpr int kAtOnce = 3;

  // Sums of channels 0 to 7 and 8 to 15 of a vector.
  template <int units, int vectors>
  [[gnu::always_inline]] static inline const std::uint8_t* Add(
      const std::uint8_t* tables, std::size_t pitch, const std::uint8_t* weights, int steps,
      uint16x8_t (&low)[units][vectors], uint16x8_t (&high)[units][vectors]) {
    for (int step = 0; step < steps; ++step) {
      uint8x16_t sums[units][vectors];
#pragma GCC unroll 3
      for (int lookup = 0; lookup < kAtOnce; ++lookup, tables += kTableBytes) {
        uint8x16x2_t table[units];
#pragma GCC unroll 2
        for (int u = 0; u < units; ++u) table[u] = bconv2d::neon::LoadTable(tables + u * pitch);
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v, weights += kVector) {
          const uint8x16_t index = vld1q_u8(weights);
#pragma GCC unroll 2
          for (int u = 0; u < units; ++u) {
            const uint8x16_t found = vqtbl2q_u8(table[u], index);
            sums[u][v] = lookup == 0 ? found : vaddq_u8(sums[u][v], found);
          }
        }
      }
#pragma GCC unroll 2
      for (int u = 0; u < units; ++u) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; ++v) {
          low[u][v] = vaddw_u8(low[u][v], vget_low_u8(sums[u][v]));
          high[u][v] = vaddw_high_u8(high[u][v], sums[u][v]);
        }
      }
    }
    return weights;
  }

#if defined(__clang__)
  [[gnu::always_inline]] static inline const std::uint8_t* Add(const std::uint8_t* tables,
                                                               std::size_t pitch,
                                                               const std::uint8_t* weights,
                                                               int steps, uint16x8_t (&low)[2][4],
                                                               uint16x8_t (&high)[2][4]);
#endif
};

#if defined(__clang__)
// clang-format off

// v0-v3 hold the two tables, v12 and v13 indices of two vectors of channels.
#define TABLES(at) \
  "ldp q0, q1, [%[t0], #" #at "]\n" \
  "ldp q2, q3, [%[t1], #" #at "]\n"
#define INDICES(at) "ldp q12, q13, [%[w], #" #at "]\n"
#define FIND(to, unit, index) "tbl v" #to ".16b, {v" unit ".16b}, v" #index ".16b\n"
#define FIRST "0.16b, v1"
#define SECOND "2.16b, v3"
#define FIND_FOUR(a, b, c, d) \
  FIND(a, FIRST, 12) FIND(b, SECOND, 12) FIND(c, FIRST, 13) FIND(d, SECOND, 13)
#define FIND_AND_ADD(to, unit, index) \
  FIND(14, unit, index) "add v" #to ".16b, v" #to ".16b, v14.16b\n"
#define ADD_FOUR(a, b, c, d) \
  FIND_AND_ADD(a, FIRST, 12) FIND_AND_ADD(b, SECOND, 12) \
  FIND_AND_ADD(c, FIRST, 13) FIND_AND_ADD(d, SECOND, 13)
#define TO_NIBBLES(from, sum) \
  "add %[a" #sum "].16b, %[a" #sum "].16b, v" #from ".16b\n" \
  "usra %[b" #sum "].16b, v" #from ".16b, #4\n"
#define TO_WORDS(from, sum) \
  "uaddw %[a" #sum "].8h, %[a" #sum "].8h, v" #from ".8b\n" \
  "uaddw2 %[b" #sum "].8h, %[b" #sum "].8h, v" #from ".16b\n"
#define NEXT(bytes, index_bytes) \
  "add %[t0], %[t0], #" #bytes "\n" \
  "add %[t1], %[t1], #" #bytes "\n" \
  "add %[w], %[w], #" #index_bytes "\n"
#define SUMS(a, b) \
  [a00] "+w"(a[0][0]), [b00] "+w"(b[0][0]), [a01] "+w"(a[0][1]), [b01] "+w"(b[0][1]), \
  [a02] "+w"(a[0][2]), [b02] "+w"(b[0][2]), [a03] "+w"(a[0][3]), [b03] "+w"(b[0][3]), \
  [a10] "+w"(a[1][0]), [b10] "+w"(b[1][0]), [a11] "+w"(a[1][1]), [b11] "+w"(b[1][1]), \
  [a12] "+w"(a[1][2]), [b12] "+w"(b[1][2]), [a13] "+w"(a[1][3]), [b13] "+w"(b[1][3])
#define CLOBBERED \
  "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", \
  "v12", "v13", "v14"

inline const std::uint8_t* PairsOf2Bits::Add(const std::uint8_t* tables, std::size_t pitch,
                                             const std::uint8_t* weights, int steps,
                                             uint8x16_t (&raw)[2][4], uint8x16_t (&high)[2][4]) {
  const std::uint8_t* second = tables + pitch;
  std::int64_t left = steps;
  asm("1:\n"
      "subs %[n], %[n], #1\n"
      TABLES(0)
      INDICES(0) FIND_FOUR(4, 8, 5, 9)
      INDICES(32) FIND_FOUR(6, 10, 7, 11)
      TO_NIBBLES(4, 00) TO_NIBBLES(8, 10) TO_NIBBLES(5, 01) TO_NIBBLES(9, 11)
      TO_NIBBLES(6, 02) TO_NIBBLES(10, 12) TO_NIBBLES(7, 03) TO_NIBBLES(11, 13)
      NEXT(32, 64)
      "b.ne 1b\n"
      : SUMS(raw, high), [t0] "+r"(tables), [t1] "+r"(second), [w] "+r"(weights), [n] "+r"(left)
      :
      : CLOBBERED);
  return weights;
}

inline const std::uint8_t* Singles::Add(const std::uint8_t* tables, std::size_t pitch,
                                        const std::uint8_t* weights, int steps,
                                        uint16x8_t (&low)[2][4], uint16x8_t (&high)[2][4]) {
  const std::uint8_t* second = tables + pitch;
  std::int64_t left = steps;
  asm("1:\n"
      "subs %[n], %[n], #1\n"
      TABLES(0)
      INDICES(0) FIND_FOUR(4, 8, 5, 9)
      INDICES(32) FIND_FOUR(6, 10, 7, 11)
      TABLES(32)
      INDICES(64) ADD_FOUR(4, 8, 5, 9)
      INDICES(96) ADD_FOUR(6, 10, 7, 11)
      TABLES(64)
      INDICES(128) ADD_FOUR(4, 8, 5, 9)
      INDICES(160) ADD_FOUR(6, 10, 7, 11)
      TO_WORDS(4, 00) TO_WORDS(8, 10) TO_WORDS(5, 01) TO_WORDS(9, 11)
      TO_WORDS(6, 02) TO_WORDS(10, 12) TO_WORDS(7, 03) TO_WORDS(11, 13)
      NEXT(96, 192)
      "b.ne 1b\n"
      : SUMS(low, high), [t0] "+r"(tables), [t1] "+r"(second), [w] "+r"(weights), [n] "+r"(left)
      :
      : CLOBBERED);
  return weights;
}

#undef TABLES
#undef INDICES
#undef FIND
#undef FIRST
#undef SECOND
#undef FIND_FOUR
#undef FIND_AND_ADD
#undef ADD_FOUR
#undef TO_NIBBLES
#undef TO_WORDS
#undef NEXT
#undef SUMS
#undef CLOBBERED
// clang-format on
#endif

}  // namespace tfkit::kbit_conv2d::neon
