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
#endif

}  // namespace tfkit::bconv2d::neon
