// AVX2: each threshold gives 8 bits of "reached" in a mask. The set of reached thresholds is a
// prefix of their list, so a plane's word is the XOR of the masks at which its bit changes.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include <immintrin.h>

#include "kernels/kbit_quantize/kernel.h"

namespace tfkit::kbit_quantize {
namespace {

constexpr int kLanes = 8;
constexpr int kVectors = kWordBits / kLanes;

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

// Up to 32 values; NaN, which reaches no threshold, stands for those that do not exist.
inline void Load(const float* in, int count, __m256 (&values)[kVectors]) {
  if (count >= kWordBits) {
    for (int v = 0; v < kVectors; ++v) values[v] = _mm256_loadu_ps(in + v * kLanes);
    return;
  }
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 nothing = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  for (int v = 0; v < kVectors; ++v) {
    const __m256i exists = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - v * kLanes), lane);
    const __m256 loaded = _mm256_maskload_ps(in + v * kLanes, exists);
    values[v] = _mm256_blendv_ps(nothing, loaded, _mm256_castsi256_ps(exists));
  }
}

void Run(const Shape& shape, const Levels& levels, const float* input, std::uint32_t* output,
         std::size_t begin, std::size_t end) {
  const int words = (shape.channels + kWordBits - 1) / kWordBits;
  for (std::size_t row = begin; row < end; ++row) {
    for (int w = 0; w < words; ++w) {
      const int left = shape.channels - w * kWordBits;
      const std::uint32_t used = left < kWordBits ? (1u << left) - 1 : ~0u;
      __m256 values[kVectors];
      Load(input + row * shape.channels + w * kWordBits, left, values);
      std::uint32_t planes[kMaxPlanes];
      for (int j = 0; j < kMaxPlanes; ++j) planes[j] = levels.bits[0] >> j & 1 ? used : 0;
      for (int t = 0; t < levels.thresholds; ++t) {
        const __m256 threshold = _mm256_broadcast_ss(levels.threshold + t);
        std::uint32_t reached = 0;
        for (int v = 0; v < kVectors; ++v) {
          const __m256 at_least = _mm256_cmp_ps(values[v], threshold, _CMP_GE_OQ);
          reached |= static_cast<std::uint32_t>(_mm256_movemask_ps(at_least)) << (v * kLanes);
        }
        const unsigned changes = levels.bits[t] ^ levels.bits[t + 1];
        for (int j = 0; j < kMaxPlanes; ++j) planes[j] ^= changes >> j & 1 ? reached : 0;
      }
      std::uint32_t* out = output + row * (std::size_t(shape.planes) * words) + w;
      for (int j = 0; j < shape.planes; ++j) out[j * words] = planes[j];
    }
  }
}

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Suits, Run};

}  // namespace tfkit::kbit_quantize
