// Every bit is brought to where it decides: a float's sign, a byte's mask.
#include <arm_neon.h>

#include "kernels/bits.h"
#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {
namespace {

struct ToFloats {
  using Number = float;

  void Unpack(std::uint32_t word, Number* output) const {
    alignas(16) static constexpr std::int32_t kShifts[4] = {31, 30, 29, 28};
    const uint32x4_t sign = vdupq_n_u32(0x80000000u);
    const uint32x4_t one = vreinterpretq_u32_f32(vdupq_n_f32(1.0f));
    const int32x4_t first = vld1q_s32(kShifts);
    const uint32x4_t bits = vdupq_n_u32(word);
#pragma GCC unroll 8
    for (int i = 0; i < kWordBits; i += 4) {
      const uint32x4_t shifted = vshlq_u32(bits, vsubq_s32(first, vdupq_n_s32(i)));
      vst1q_f32(output + i, vreinterpretq_f32_u32(vbslq_u32(sign, shifted, one)));
    }
  }
};

struct ToInt8s {
  using Number = std::int8_t;
  int8x16_t clear;
  int8x16_t set;

  void Unpack(std::uint32_t word, Number* output) const {
    const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
    const uint8x16_t bytes = vreinterpretq_u8_u32(vdupq_n_u32(word));
    // Each byte eight times, the first two and the last two.
    const uint8x16_t twice = vzip1q_u8(bytes, bytes);  // 0 0 1 1 2 2 3 3 ...
    const uint16x8_t pairs = vreinterpretq_u16_u8(twice);
    const uint32x4_t fours = vreinterpretq_u32_u16(vzip1q_u16(pairs, pairs));
    Store(vreinterpretq_u8_u32(vzip1q_u32(fours, fours)), bit, output);
    Store(vreinterpretq_u8_u32(vzip2q_u32(fours, fours)), bit, output + 16);
  }

 private:
  void Store(uint8x16_t bytes, uint8x16_t bit, Number* output) const {
    vst1q_s8(output, vbslq_s8(vtstq_u8(bytes, bit), set, clear));
  }
};

template <typename To>
void Run(const Shape& shape, To to, const std::uint32_t* input, typename To::Number* output) {
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, output += kWordBits) to.Unpack(*input++, output);
    if (rest == 0) continue;
    typename To::Number last[kWordBits];
    to.Unpack(*input++, last);
    __builtin_memcpy(output, last, rest * sizeof *output);
    output += rest;
  }
}

void ToFloat(const Shape& shape, const std::uint32_t* input, float* output) {
  Run(shape, ToFloats{}, input, output);
}

void ToInt8(const Shape& shape, const std::uint32_t* input, Values<std::int8_t> values,
            std::int8_t* output) {
  Run(shape, ToInt8s{vdupq_n_s8(values.clear), vdupq_n_s8(values.set)}, input, output);
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon, Suits, ToFloat, ToInt8};

}  // namespace tfkit::dequantize
