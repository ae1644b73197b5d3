// Levels of 16 values at a time: thresholds reached are counted in bytes, TBL makes bits of them,
// and the bits of a plane are gathered by adding neighbours.
#include <arm_neon.h>

#include <cstring>

#include "kernels/kbit_quantize/kernel.h"

namespace tfkit::kbit_quantize {
namespace {

constexpr int kValues = 16;

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

// How many thresholds each value reaches; a comparison that holds is -1.
[[gnu::always_inline]] inline uint8x16_t LevelsOf(const float* in, const Levels& levels) {
  const float32x4_t x[4] = {vld1q_f32(in), vld1q_f32(in + 4), vld1q_f32(in + 8),
                            vld1q_f32(in + 12)};
  uint32x4_t level[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
  for (int t = 0; t < levels.thresholds; ++t) {
    const float32x4_t threshold = vdupq_n_f32(levels.threshold[t]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) level[i] = vsubq_u32(level[i], vcgeq_f32(x[i], threshold));
  }
  const uint16x8_t low = vcombine_u16(vmovn_u32(level[0]), vmovn_u32(level[1]));
  const uint16x8_t high = vcombine_u16(vmovn_u32(level[2]), vmovn_u32(level[3]));
  return vcombine_u8(vmovn_u16(low), vmovn_u16(high));
}

// Bit `plane` of each byte.
[[gnu::always_inline]] inline std::uint16_t PlaneOf(uint8x16_t bits, int plane) {
  const uint8x16_t bit_of_lane = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t set = vtstq_u8(bits, vdupq_n_u8(static_cast<std::uint8_t>(1u << plane)));
  uint8x16_t sums = vandq_u8(set, bit_of_lane);
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) sums = vpaddq_u8(sums, sums);
  return vgetq_lane_u16(vreinterpretq_u16_u8(sums), 0);
}

void Run(const Shape& shape, const Levels& levels, const float* input, std::uint32_t* output,
         std::size_t begin, std::size_t end) {
  const std::size_t plane_bytes = PackedWords(shape.channels) * sizeof *output;
  std::uint8_t table[kValues] = {};
  std::memcpy(table, levels.bits, levels.thresholds + 1);
  const uint8x16_t bits_of_level = vld1q_u8(table);
  for (std::size_t row = begin; row < end; ++row) {
    const float* in = input + row * shape.channels;
    auto* out = reinterpret_cast<std::uint8_t*>(output + row * shape.RowWords());
    int c = 0;
    for (; c + kValues <= shape.channels; c += kValues) {
      const uint8x16_t bits = vqtbl1q_u8(bits_of_level, LevelsOf(in + c, levels));
      for (int plane = 0; plane < shape.planes; ++plane) {
        const std::uint16_t set = PlaneOf(bits, plane);
        std::memcpy(out + plane * plane_bytes + c / 8, &set, sizeof set);
      }
    }
    // What is left of the last word, whose unused bits are clear.
    for (; std::size_t(c) < 8 * plane_bytes; c += kValues) {
      float rest[kValues] = {};
      const int left = shape.channels - c < 0 ? 0 : shape.channels - c;
      std::memcpy(rest, in + shape.channels - left, left * sizeof *rest);
      const uint8x16_t bits = vqtbl1q_u8(bits_of_level, LevelsOf(rest, levels));
      for (int plane = 0; plane < shape.planes; ++plane) {
        const auto set = static_cast<std::uint16_t>(PlaneOf(bits, plane) & ((1u << left) - 1));
        std::memcpy(out + plane * plane_bytes + c / 8, &set, sizeof set);
      }
    }
  }
}

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon, Suits, Run};

}  // namespace tfkit::kbit_quantize
