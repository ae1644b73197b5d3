// Comparisons, narrowed to bytes, of which each keeps its own bit before neighbours are added up.
#include <arm_neon.h>

#include "kernels/bits.h"
#include "kernels/quantize/kernel.h"

namespace tfkit::quantize {
namespace {

// Whether 16 numbers each are negative, a byte all set or all clear for each.
inline uint8x16_t Negative(const float* input) {
  const uint16x8_t low = vuzp1q_u16(vreinterpretq_u16_u32(vcltzq_f32(vld1q_f32(input))),
                                    vreinterpretq_u16_u32(vcltzq_f32(vld1q_f32(input + 4))));
  const uint16x8_t high = vuzp1q_u16(vreinterpretq_u16_u32(vcltzq_f32(vld1q_f32(input + 8))),
                                     vreinterpretq_u16_u32(vcltzq_f32(vld1q_f32(input + 12))));
  return vuzp1q_u8(vreinterpretq_u8_u16(low), vreinterpretq_u8_u16(high));
}

// The 64 bits of 64 numbers.
inline uint64x1_t Bits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const uint8x16_t low = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
  const uint8x16_t high = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
  const uint8x16_t both = vpaddq_u8(low, high);
  return vreinterpret_u64_u8(vget_low_u8(vpaddq_u8(both, both)));
}

// As many numbers as a word has bits, whose sign is that of the difference to `zero`.
struct Floats {
  using Number = float;
  Number zero;
  uint8x16_t Of16(const Number* input) const { return Negative(input); }
};

struct Int8s {
  using Number = std::int8_t;
  Number zero;
  uint8x16_t Of16(const Number* input) const { return vcltq_s8(vld1q_s8(input), vdupq_n_s8(zero)); }
};

template <typename Signs>
void Run(const Shape& shape, Signs signs, const typename Signs::Number* input,
         std::uint32_t* output) {
  using Number = typename Signs::Number;
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  const uint8x16_t none = vdupq_n_u8(0);
  // Rows of whole words follow each other without a gap.
  const std::size_t rows = rest == 0 ? 1 : shape.rows;
  const std::size_t row_words = rest == 0 ? words * shape.rows : words;
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t w = 0;
    for (; w + 2 <= row_words; w += 2, input += 2 * kWordBits, output += 2) {
      const uint64x1_t bits = Bits(signs.Of16(input), signs.Of16(input + 16),
                                   signs.Of16(input + 32), signs.Of16(input + 48));
      vst1_u32(output, vreinterpret_u32_u64(bits));
    }
    if (w < row_words) {
      const uint64x1_t bits = Bits(signs.Of16(input), signs.Of16(input + 16), none, none);
      *output++ = vget_lane_u32(vreinterpret_u32_u64(bits), 0);
      input += kWordBits;
    }
    if (rest == 0) continue;
    Number last[kWordBits];
    for (Number& number : last) number = signs.zero;
    __builtin_memcpy(last, input, rest * sizeof *input);
    const uint64x1_t bits = Bits(signs.Of16(last), signs.Of16(last + 16), none, none);
    *output++ = vget_lane_u32(vreinterpret_u32_u64(bits), 0);
    input += rest;
  }
}

void FromFloat(const Shape& shape, const float* input, std::uint32_t* output) {
  Run(shape, Floats{0.0f}, input, output);
}

void FromInt8(const Shape& shape, const std::int8_t* input, int zero_point, std::uint32_t* output) {
  Run(shape, Int8s{static_cast<std::int8_t>(zero_point)}, input, output);
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon, Suits, FromFloat, FromInt8};

}  // namespace tfkit::quantize
