// 16 pixels in a vector, up to 64 in a tile.
#if !defined(__AVX512F__)
#error "kernels/CMakeLists.txt compiles this file for AVX-512"
#endif

#include "kernels/avx512.h"
#include "kernels/sparse_conv2d/pays.h"
#include "kernels/sparse_conv2d/tile.h"

namespace tfkit::sparse_conv2d {
namespace {

struct Simd {
  static constexpr int kLanes = 16;
  static constexpr int kChains = 4;  // multiply-adds that a CPU keeps under way
  static constexpr int kBlockVectors = 4;
  using Vector = __m512;

  static Vector Load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector LoadPart(const float* from, int count) {
    return _mm512_maskz_loadu_ps(Mask(count), from);
  }
  static void Store(float* to, Vector values) { _mm512_store_ps(to, values); }
  static void StoreUnaligned(float* to, Vector values) { _mm512_storeu_ps(to, values); }
  static void StorePart(float* to, Vector values, int count) {
    _mm512_mask_storeu_ps(to, Mask(count), values);
  }
  static Vector Broadcast(float value) { return _mm512_set1_ps(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  // Of two operands of which one is NaN, or both are zero, these give the second.
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    return _mm512_min_ps(_mm512_set1_ps(clamp.high), _mm512_max_ps(_mm512_set1_ps(clamp.low), x));
  }

  static void Transpose(Vector (&v)[kLanes]) {
    Vector t[kLanes];
    for (int i = 0; i < kLanes; i += 4) {  // 4 x 4 in each quarter of 4 vectors
      const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(v[i], v[i + 1]));
      const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(v[i], v[i + 1]));
      const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(v[i + 2], v[i + 3]));
      const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(v[i + 2], v[i + 3]));
      t[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
      t[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
      t[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
      t[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
    for (int i = 0; i < 4; ++i) {  // then the quarters
      const Vector a = _mm512_shuffle_f32x4(t[i], t[4 + i], 0x88);
      const Vector b = _mm512_shuffle_f32x4(t[8 + i], t[12 + i], 0x88);
      const Vector c = _mm512_shuffle_f32x4(t[i], t[4 + i], 0xdd);
      const Vector d = _mm512_shuffle_f32x4(t[8 + i], t[12 + i], 0xdd);
      v[i] = _mm512_shuffle_f32x4(a, b, 0x88);
      v[4 + i] = _mm512_shuffle_f32x4(c, d, 0x88);
      v[8 + i] = _mm512_shuffle_f32x4(a, b, 0xdd);
      v[12 + i] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
  }

 private:
  static __mmask16 Mask(int count) { return static_cast<__mmask16>((1u << count) - 1); }
};

struct Group {
  using Vector = __m128;

  static Vector Load(const float* from) { return _mm_loadu_ps(from); }
  static void StoreUnaligned(float* to, Vector values) { _mm_storeu_ps(to, values); }
  static Vector Broadcast(float value) { return _mm_set1_ps(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) {
    return _mm_maskz_fmadd_ps(0xf, a, b, c);
  }
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
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) {
    return _mm_fmadd_round_ss(a, b, c, _MM_FROUND_CUR_DIRECTION);
  }
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

const Kernel kernels::avx512bw = {"avx512bw", Isa::kAvx512Bw, Suits,   Simd::kLanes,
                                  256,        Transpose,      Multiply};

}  // namespace tfkit::sparse_conv2d
