// 4 pixels in a vector, up to 16 in a tile.
#if !defined(__ARM_NEON)
#error "kernels/CMakeLists.txt compiles this file for NEON"
#endif

#include <arm_neon.h>

#include "kernels/sparse_conv2d/pays.h"
#include "kernels/sparse_conv2d/tile.h"

namespace tfkit::sparse_conv2d {
namespace {

struct Simd {
  static constexpr int kLanes = 4;
  static constexpr int kChains = 8;  // multiply-adds that a CPU keeps under way
  static constexpr int kBlockVectors = 4;
  using Vector = float32x4_t;

  static Vector Load(const float* from) { return vld1q_f32(from); }
  static Vector LoadPart(const float* from, int count) {
    float values[kLanes] = {};
    for (int i = 0; i < count; ++i) values[i] = from[i];
    return vld1q_f32(values);
  }
  static void Store(float* to, Vector values) { vst1q_f32(to, values); }
  static void StoreUnaligned(float* to, Vector values) { vst1q_f32(to, values); }
  static void StorePart(float* to, Vector values, int count) {
    float all[kLanes];
    vst1q_f32(all, values);
    for (int i = 0; i < count; ++i) to[i] = all[i];
  }
  static Vector Broadcast(float value) { return vdupq_n_f32(value); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  // By comparisons: NEON's maximum of -0.0 and 0.0 is 0.0, and here -0.0 stays.
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    const Vector low = vdupq_n_f32(clamp.low);
    const Vector high = vdupq_n_f32(clamp.high);
    x = vbslq_f32(vcltq_f32(x, low), low, x);
    return vbslq_f32(vcgtq_f32(x, high), high, x);
  }

  static void Transpose(Vector (&v)[kLanes]) {
    const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(v[0], v[1]));
    const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(v[0], v[1]));
    const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(v[2], v[3]));
    const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(v[2], v[3]));
    v[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    v[1] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    v[2] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    v[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
  }
};

struct One {
  static constexpr int kLanes = 1;
  using Vector = float;

  static Vector Load(const float* from) { return *from; }
  static void StoreUnaligned(float* to, Vector value) { *to = value; }
  static Vector Broadcast(float value) { return value; }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return __builtin_fmaf(a, b, c); }
  static Vector ClampTo(const Clamp& clamp, Vector x) {
    if (x < clamp.low) x = clamp.low;
    if (x > clamp.high) x = clamp.high;
    return x;
  }
};

void Transpose(const float* const* rows, std::size_t channels, int vectors, float* tile) {
  TransposeAny<Simd>(rows, channels, vectors, tile);
}

void Multiply(const Call& call, const float* tile, int vectors, int pixels, float* output) {
  MultiplyAny<Simd, Simd, One>(call, tile, vectors, pixels, output);
}

// Of executed instructions and of modelled cycles, on a Cortex-A72 and a Neoverse N1, the largest:
// `python -m tests.claims_arm.sparse_cost`. No Arm hardware was used.
constexpr Cost kCost = {Simd::kLanes, 2.15, 1.25, 1.0, 15.0, 12.5, 4.8};

Fit Suits(const Shape& shape, const Cpu&) { return Pays(shape, kCost); }

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon, Suits, Simd::kLanes, 512, Transpose, Multiply};

}  // namespace tfkit::sparse_conv2d
