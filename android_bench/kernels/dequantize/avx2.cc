// Every bit is brought to where it decides: a float's sign, a byte's mask.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include <immintrin.h>

#include "kernels/bits.h"
#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {
namespace {

inline void Unpack(std::uint32_t word, float* output) {
  const __m256i sign = _mm256_set1_epi32(static_cast<int>(0x80000000u));
  const __m256i one = _mm256_castps_si256(_mm256_set1_ps(1.0f));
  const __m256i shift = _mm256_setr_epi32(31, 30, 29, 28, 27, 26, 25, 24);
  for (int first = 0; first < kWordBits; first += 8, word >>= 8) {
    const __m256i bits = _mm256_sllv_epi32(_mm256_set1_epi32(static_cast<int>(word)), shift);
    const __m256i value = _mm256_or_si256(_mm256_and_si256(bits, sign), one);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(output + first), value);
  }
}

inline void Unpack(std::uint32_t word, __m256i clear, __m256i set, std::int8_t* output) {
  const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,  //
                                          2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ull));
  const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(word)), spread);
  const __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(output), _mm256_blendv_epi8(clear, set, is_set));
}

void ToFloat(const Shape& shape, const std::uint32_t* input, float* output) {
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, output += kWordBits) Unpack(*input++, output);
    if (rest == 0) continue;
    float last[kWordBits];
    Unpack(*input++, last);
    __builtin_memcpy(output, last, rest * sizeof *output);
    output += rest;
  }
}

void ToInt8(const Shape& shape, const std::uint32_t* input, Values<std::int8_t> values,
            std::int8_t* output) {
  const __m256i clear = _mm256_set1_epi8(values.clear);
  const __m256i set = _mm256_set1_epi8(values.set);
  const std::size_t words = shape.channels / kWordBits;
  const std::size_t rest = shape.channels % kWordBits;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t w = 0; w < words; ++w, output += kWordBits) {
      Unpack(*input++, clear, set, output);
    }
    if (rest == 0) continue;
    std::int8_t last[kWordBits];
    Unpack(*input++, clear, set, last);
    __builtin_memcpy(output, last, rest);
    output += rest;
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Suits, ToFloat, ToInt8};

}  // namespace tfkit::dequantize
