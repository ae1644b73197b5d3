// The innermost loop: lookups in threes.
#pragma once

#include <arm_neon.h>

#include "kernels/bconv2d/neon_lut_layout.h"

namespace tfkit::bconv2d::neon {

[[gnu::always_inline]] inline uint8x16x2_t LoadTable(const std::uint8_t* table) {
  return {{vld1q_u8(table), vld1q_u8(table + 16)}};
}

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

#if defined(__clang__)  // g++ takes no more than 30 operands, and each sum is two of them
// clang-format off
// v0, v1 and v2, v3: the pairs' tables; v12, v13: indices of two vectors; v4 to v11: a triple's sums.
#define TABLES(offset) \
  "ldp q0, q1, [%[t0], #" #offset "]\n" "ldp q2, q3, [%[t1], #" #offset "]\n"
#define INDICES(offset) "ldp q12, q13, [%[w], #" #offset "]\n"
#define FIND(found, first, second, index) \
  "tbl v" #found ".16b, {v" #first ".16b, v" #second ".16b}, v" #index ".16b\n"
#define SUM(sum) "add v" #sum ".16b, v" #sum ".16b, v14.16b\n"
#define SET(a, b, index) FIND(a, 0, 1, index) FIND(b, 2, 3, index)
#define ADD(a, b, index) FIND(14, 0, 1, index) SUM(a) FIND(14, 2, 3, index) SUM(b)
#define LOOKUP(STEP, first, second) \
  INDICES(first) STEP(4, 5, 12) STEP(6, 7, 13) INDICES(second) STEP(8, 9, 12) STEP(10, 11, 13)
#define FOLD(at, sum) \
  "add %[r" #at "].16b, %[r" #at "].16b, v" #sum ".16b\n" \
  "usra %[h" #at "].16b, v" #sum ".16b, #4\n"
// clang-format on

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
      TABLES(0)  LOOKUP(SET, 0, 32)
      TABLES(32) LOOKUP(ADD, 64, 96)
      TABLES(64) LOOKUP(ADD, 128, 160)
      FOLD(00, 4) FOLD(10, 5) FOLD(01, 6) FOLD(11, 7) FOLD(02, 8) FOLD(12, 9) FOLD(03, 10) FOLD(13, 11)
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

#undef TABLES
#undef INDICES
#undef FIND
#undef SUM
#undef SET
#undef ADD
#undef LOOKUP
#undef FOLD
#endif

}  // namespace tfkit::bconv2d::neon
