// AVX-512: each threshold gives 16 bits of "reached" in a mask. The set of reached thresholds is a
// prefix of their list, so a plane's word is the XOR of the masks at which its bit changes.
#if !defined(__AVX512BW__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512bw"
#endif

#include "kernels/avx512.h"
#include "kernels/kbit_quantize/kernel.h"

namespace tfkit::kbit_quantize {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void Run(const Shape& shape, const Levels& levels, const float* input, std::uint32_t* output,
         std::size_t begin, std::size_t end) {
  const int words = (shape.channels + 31) / 32;
  for (std::size_t row = begin; row < end; ++row) {
    for (int w = 0; w < words; ++w) {
      const float* in = input + row * shape.channels + w * 32;
      const int left = shape.channels - w * 32;
      const std::uint32_t used = left < 32 ? (1u << left) - 1 : ~0u;
      const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(used), in);
      const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(used >> 16), in + 16);
      std::uint32_t planes[kMaxPlanes];
      for (int j = 0; j < kMaxPlanes; ++j) planes[j] = levels.bits[0] >> j & 1 ? used : 0;
      for (int t = 0; t < levels.thresholds; ++t) {
        const __m512 threshold = _mm512_set1_ps(levels.threshold[t]);
        const std::uint32_t reached =
            (_cvtmask16_u32(_mm512_cmp_ps_mask(low, threshold, _CMP_GE_OQ)) |
             _cvtmask16_u32(_mm512_cmp_ps_mask(high, threshold, _CMP_GE_OQ)) << 16) &
            used;
        const unsigned changes = levels.bits[t] ^ levels.bits[t + 1];
        for (int j = 0; j < kMaxPlanes; ++j) planes[j] ^= changes >> j & 1 ? reached : 0;
      }
      std::uint32_t* out = output + row * (std::size_t(shape.planes) * words) + w;
      for (int j = 0; j < shape.planes; ++j) out[j * words] = planes[j];
    }
  }
}

}  // namespace

const Kernel kernels::avx512bw = {"avx512bw", Isa::kAvx512Bw, Suits, Run};

}  // namespace tfkit::kbit_quantize
