#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include <immintrin.h>

#include "kernels/bmaxpool/blocks.h"

namespace tfkit::bmaxpool {
namespace {

struct Block128 {
  static constexpr int kWords = 4;
  __m128i bits = _mm_set1_epi32(-1);
  void And(const std::uint32_t* words) {
    bits = _mm_and_si128(bits, _mm_loadu_si128(reinterpret_cast<const __m128i*>(words)));
  }
  void Store(std::uint32_t* words) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(words), bits);
  }
};

struct Block256 {
  static constexpr int kWords = 8;
  __m256i bits = _mm256_set1_epi32(-1);
  void And(const std::uint32_t* words) {
    bits = _mm256_and_si256(bits, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)));
  }
  void Store(std::uint32_t* words) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), bits);
  }
};

void Run(const Shape& shape, const std::uint32_t* input, std::uint32_t* output, std::int64_t begin,
         std::int64_t end) {
  if (shape.words % 8 == 0) {
    RunBlocks<Block256>(shape, input, output, begin, end);
  } else if (shape.words % 4 == 0) {
    RunBlocks<Block128>(shape, input, output, begin, end);
  } else if (shape.words % 2 == 0) {
    RunBlocks<ScalarBlock<std::uint64_t>>(shape, input, output, begin, end);
  } else {
    RunBlocks<ScalarBlock<std::uint32_t>>(shape, input, output, begin, end);
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Suits, Run};

}  // namespace tfkit::bmaxpool
