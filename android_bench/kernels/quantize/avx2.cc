// Comparisons, narrowed to bytes, whose sign bits are the bits.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include <immintrin.h>

#include "kernels/bits.h"
#include "kernels/quantize/kernel.h"

namespace tfkit::quantize {
namespace {

inline std::uint32_t Word(const float* input) {
  const auto negative = [input](int first) {
    const __m256 values = _mm256_loadu_ps(input + first);
    return _mm256_castps_si256(_mm256_cmp_ps(values, _mm256_setzero_ps(), _CMP_LT_OQ));
  };
  const __m256i low = _mm256_packs_epi32(negative(0), negative(8));
  const __m256i high = _mm256_packs_epi32(negative(16), negative(24));
  // Narrowing works within 128-bit lanes: 4 bytes of each source in turn.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}

inline std::uint32_t Word(const std::int8_t* input, __m256i zero) {
  const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(input));
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(zero, values)));
}

void FromFloat(const Shape& shape, const float* input, std::uint32_t* output) {
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, input += kWordBits) *output++ = Word(input);
    if (rest == 0) continue;
    float last[kWordBits] = {};
    __builtin_memcpy(last, input, rest * sizeof *input);
    *output++ = Word(last);
    input += rest;
  }
}

void FromInt8(const Shape& shape, const std::int8_t* input, int zero_point, std::uint32_t* output) {
  const __m256i zero = _mm256_set1_epi8(static_cast<char>(zero_point));
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, input += kWordBits) *output++ = Word(input, zero);
    if (rest == 0) continue;
    std::int8_t last[kWordBits];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(last), zero);
    __builtin_memcpy(last, input, rest);
    *output++ = Word(last, zero);
    input += rest;
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Suits, FromFloat, FromInt8};

}  // namespace tfkit::quantize
