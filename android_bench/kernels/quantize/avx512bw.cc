// Comparisons into mask registers, which are the bits.
#if !defined(__AVX512BW__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512bw"
#endif

#include "kernels/avx512.h"
#include "kernels/bits.h"
#include "kernels/quantize/kernel.h"

namespace tfkit::quantize {
namespace {

inline std::uint32_t Word(const float* input) {
  const __m512 zero = _mm512_setzero_ps();
  const __mmask16 low = _mm512_cmp_ps_mask(_mm512_loadu_ps(input), zero, _CMP_LT_OQ);
  const __mmask16 high = _mm512_cmp_ps_mask(_mm512_loadu_ps(input + 16), zero, _CMP_LT_OQ);
  return _mm512_kunpackw(high, low);
}

inline std::uint32_t Word(const float* input, int count) {
  const std::uint32_t lanes = (1u << count) - 1;
  const __m512 zero = _mm512_setzero_ps();
  const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes), input);
  const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes >> 16), input + 16);
  return _mm512_kunpackw(_mm512_cmp_ps_mask(high, zero, _CMP_LT_OQ),
                         _mm512_cmp_ps_mask(low, zero, _CMP_LT_OQ));
}

void FromFloat(const Shape& shape, const float* input, std::uint32_t* output) {
  const int rest = static_cast<int>(shape.channels % kWordBits);
  // Without rests the rows are one long one.
  const std::size_t rows = rest == 0 ? 1 : shape.rows;
  const std::size_t words = (rest == 0 ? shape.rows : 1) * (shape.channels / kWordBits);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, input += kWordBits) *output++ = Word(input);
    if (rest != 0) *output++ = Word(input, rest);
    input += rest;
  }
}

void FromInt8(const Shape& shape, const std::int8_t* input, int zero_point, std::uint32_t* output) {
  const __m512i zero = _mm512_set1_epi8(static_cast<char>(zero_point));
  const int rest = static_cast<int>(shape.channels % kWordBits);
  const std::size_t rows = rest == 0 ? 1 : shape.rows;
  const std::size_t words = (rest == 0 ? shape.rows : 1) * (shape.channels / kWordBits);
  for (std::size_t row = 0; row < rows; ++row) {
    std::size_t w = 0;
    for (; w + 2 <= words; w += 2, input += 2 * kWordBits, output += 2) {
      const std::uint64_t bits = _mm512_cmplt_epi8_mask(_mm512_loadu_si512(input), zero);
      __builtin_memcpy(output, &bits, sizeof bits);
    }
    // At most one word and a rest: 63 values.
    const int left = static_cast<int>(words - w) * kWordBits + rest;
    if (left == 0) continue;
    const __mmask64 lanes = (__mmask64{1} << left) - 1;
    const __m512i values = _mm512_maskz_loadu_epi8(lanes, input);
    const std::uint64_t bits = _mm512_mask_cmplt_epi8_mask(lanes, values, zero);
    const std::size_t left_words = PackedWords(left);
    __builtin_memcpy(output, &bits, left_words * sizeof *output);
    input += left;
    output += left_words;
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx512bw = {"avx512bw", Isa::kAvx512Bw, Suits, FromFloat, FromInt8};

}  // namespace tfkit::quantize
