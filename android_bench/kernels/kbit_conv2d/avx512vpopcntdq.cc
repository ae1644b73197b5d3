// AVX-512 with VPOPCNTDQ: 16 output channels in a vector of words; AND, POPCNT and ADD on whole
// registers.
#if !defined(__AVX512VPOPCNTDQ__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512vpopcntdq"
#endif

#include "kernels/avx512.h"
#include "kernels/kbit_conv2d/bit_serial.h"

namespace tfkit::kbit_conv2d {
namespace {

struct VectorCounter {
  // Up to 16 sums in registers, and as many activation words a load of weights.
  static constexpr int Pixels(int planes) { return planes <= 2 ? 8 : 4; }

  template <int kPixels, int kPlanes>
  static void Count(const std::uint32_t* patch, const std::uint32_t* weights, int depth,
                    std::int32_t (&shared)[kPixels][kPlanes][kBlock]) {
    constexpr int kWords = kPixels * kPlanes;
    __m512i sums[kWords];
    for (int v = 0; v < kWords; ++v) sums[v] = _mm512_setzero_si512();
    for (int k = 0; k < depth; ++k, patch += kWords, weights += kBlock) {
      const __m512i weight = _mm512_load_si512(weights);
      for (int v = 0; v < kWords; ++v) {
        const __m512i word = _mm512_set1_epi32(static_cast<int>(patch[v]));
        sums[v] = _mm512_add_epi32(sums[v], _mm512_popcnt_epi32(_mm512_and_si512(word, weight)));
      }
    }
    for (int p = 0; p < kPixels; ++p) {
      for (int j = 0; j < kPlanes; ++j) _mm512_storeu_si512(shared[p][j], sums[p * kPlanes + j]);
    }
  }
};

}  // namespace

const Kernel kernels::avx512vpopcntdq = {"avx512vpopcntdq",
                                         Isa::kAvx512Vpopcntdq,
                                         Road::kBitSerial,
                                         BlocksFit,
                                         PackBlocks,
                                         BlocksWorkspace,
                                         1,
                                         BlocksUnits,
                                         RunBitSerial<VectorCounter>};

}  // namespace tfkit::kbit_conv2d
