// 8 pixels in a vector, up to 32 in a tile.
#if !defined(__AVX2__) || !defined(__FMA__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2 -mfma"
#endif

#include <immintrin.h>

#include "kernels/sparse_conv2d/pays.h"
#include "kernels/sparse_conv2d/tile.h"

namespace tfkit::sparse_conv2d {
namespace {

struct Simd {
  static constexpr int kLanes = 8;
  static constexpr int kChains = 8;  // multiply-adds that a CPU keeps under way
  static constexpr int kBlockVectors = 2;
  using Vector = __m256;

  static Vector Load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector LoadPart(const float* from, int count) {
    return _mm256_maskload_ps(from, Mask(count));
  }
  static void Store(float* to, Vector values) { _mm256_store_ps(to, values); }
  static void StoreUnaligned(float* to, Vector values) { _mm256_storeu_ps(to, values); }
  static void StorePart(float* to, Vector values, int count) {
    _mm256_maskstore_ps(to, Mask(count), values);
  }
  static Vector Broadcast(float value) { return _mm256_set1_ps(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  // Of two operands of which one is NaN, or both are zero, these give the second.
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    return _mm256_min_ps(_mm256_set1_ps(clamp.high), _mm256_max_ps(_mm256_set1_ps(clamp.low), x));
  }

  static void Transpose(Vector (&v)[kLanes]) {
    Vector t[kLanes];
    for (int i = 0; i < kLanes; i += 4) {  // 4 x 4 in each half of 4 vectors
      const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(v[i], v[i + 1]));
      const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(v[i], v[i + 1]));
      const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(v[i + 2], v[i + 3]));
      const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(v[i + 2], v[i + 3]));
      t[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
      t[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
      t[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
      t[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; ++i) {  // then the halves
      v[i] = _mm256_permute2f128_ps(t[i], t[4 + i], 0x20);
      v[4 + i] = _mm256_permute2f128_ps(t[i], t[4 + i], 0x31);
    }
  }

 private:
  static __m256i Mask(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

struct Group {
  using Vector = __m128;

  static Vector Load(const float* from) { return _mm_loadu_ps(from); }
  static void StoreUnaligned(float* to, Vector values) { _mm_storeu_ps(to, values); }
  static Vector Broadcast(float value) { return _mm_set1_ps(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm_fmadd_ps(a, b, c); }
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    return _mm_min_ps(_mm_set1_ps(clamp.high), _mm_max_ps(_mm_set1_ps(clamp.low), x));
  }
};

struct One {
  static constexpr int kLanes = 1;
  using Vector = __m128;

  static Vector Load(const float* from) { return _mm_load_ss(from); }
  static void StoreUnaligned(float* to, Vector value) { _mm_store_ss(to, value); }
  static Vector Broadcast(float value) { return _mm_set_ss(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm_fmadd_ss(a, b, c); }
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    return _mm_min_ss(_mm_set_ss(clamp.high), _mm_max_ss(_mm_set_ss(clamp.low), x));
  }
};

void Transpose(const float* const* rows, std::size_t channels, int vectors, float* tile) {
  TransposeAny<Simd>(rows, channels, vectors, tile);
}

void Multiply(const Call& call, const float* tile, int vectors, int pixels, float* output) {
  MultiplyAny<Simd, Group, One>(call, tile, vectors, pixels, output);
}

// Measured on Zen 4.
constexpr Cost kCost = {Simd::kLanes, 1.75, 1.2, 1.0, 20.0, 6.0, 3.2};

Fit Suits(const Shape& shape, const Cpu&) { return Pays(shape, kCost); }

}  // namespace

const Kernel kernels::fma = {"fma", Isa::kFma, Suits, Simd::kLanes, 512, Transpose, Multiply};

}  // namespace tfkit::sparse_conv2d
