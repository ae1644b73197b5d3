// The bits are the masks by which one of the two values is taken.
#if !defined(__AVX512BW__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512bw"
#endif

#include "kernels/avx512.h"
#include "kernels/bits.h"
#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {
namespace {

void ToFloat(const Shape& shape, const std::uint32_t* input, float* output) {
  const __m512 clear = _mm512_set1_ps(1.0f);
  const __m512 set = _mm512_set1_ps(-1.0f);
  const std::size_t words = shape.channels / kWordBits;
  const int rest = static_cast<int>(shape.channels % kWordBits);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, output += kWordBits) {
      const std::uint32_t bits = *input++;
      _mm512_storeu_ps(output, _mm512_mask_blend_ps(static_cast<__mmask16>(bits), clear, set));
      _mm512_storeu_ps(output + 16,
                       _mm512_mask_blend_ps(static_cast<__mmask16>(bits >> 16), clear, set));
    }
    if (rest == 0) continue;
    const std::uint32_t bits = *input++;
    const std::uint32_t lanes = (1u << rest) - 1;
    _mm512_mask_storeu_ps(output, static_cast<__mmask16>(lanes),
                          _mm512_mask_blend_ps(static_cast<__mmask16>(bits), clear, set));
    _mm512_mask_storeu_ps(output + 16, static_cast<__mmask16>(lanes >> 16),
                          _mm512_mask_blend_ps(static_cast<__mmask16>(bits >> 16), clear, set));
    output += rest;
  }
}

void ToInt8(const Shape& shape, const std::uint32_t* input, Values<std::int8_t> values,
            std::int8_t* output) {
  const __m512i clear = _mm512_set1_epi8(values.clear);
  const __m512i set = _mm512_set1_epi8(values.set);
  const std::size_t words = shape.channels / kWordBits;
  const int rest = static_cast<int>(shape.channels % kWordBits);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    std::size_t w = 0;
    for (; w + 2 <= words; w += 2, input += 2, output += 2 * kWordBits) {
      std::uint64_t bits;
      __builtin_memcpy(&bits, input, sizeof bits);
      _mm512_storeu_si512(output, _mm512_mask_blend_epi8(bits, clear, set));
    }
    // At most one word and a rest: 63 values.
    const int left = static_cast<int>(words - w) * kWordBits + rest;
    if (left == 0) continue;
    const std::size_t left_words = PackedWords(left);
    std::uint64_t bits = 0;
    __builtin_memcpy(&bits, input, left_words * sizeof *input);
    _mm512_mask_storeu_epi8(output, (__mmask64{1} << left) - 1,
                            _mm512_mask_blend_epi8(bits, clear, set));
    input += left_words;
    output += left;
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx512bw = {"avx512bw", Isa::kAvx512Bw, Suits, ToFloat, ToInt8};

}  // namespace tfkit::dequantize
