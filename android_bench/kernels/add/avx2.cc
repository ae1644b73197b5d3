// Eight sums at a time.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include <immintrin.h>

#include "kernels/add/kernel.h"

namespace tfkit::add {
namespace {

void Floats(const Shape& shape, const float* a, const float* b, float* sums) {
  constexpr std::size_t kVector = 8;
  std::size_t i = 0;
  for (; i + kVector <= shape.elements; i += kVector) {
    _mm256_storeu_ps(sums + i, _mm256_add_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
  }
  for (; i < shape.elements; ++i) sums[i] = a[i] + b[i];
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Suits, Floats};

}  // namespace tfkit::add
