#include "kernels/kbit_conv2d/neon_store.h"

#include <arm_neon.h>

#include <cstring>

#include "kernels/kbit_conv2d/neon_outputs.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

// Sums of one pixel, four channels at a time.
template <bool scaled, bool halves>
struct Sums {
  const Tile& tile;
  std::size_t padded;  // channels
  std::size_t term;    // numbers of a term in tile.sums
  int planes;          // of activations, whose windows' terms differ

  Sums(const Filter& filter, const Tile& tile_)
      : tile(tile_),
        padded(PaddedChannels(filter.channels_out)),
        term(std::size_t(Vectors(filter)) * tile_.pitch * kLanes),
        planes(WindowTerms(filter)) {}

  // Channels from 4 * half of vector v on.
  [[gnu::always_inline]] inline int32x4_t Of(int p, int t, int v, int half) const {
    const int32x4_t counts =
        vld1q_s32(tile.sums + t * term + (std::size_t(v) * tile.pitch + p) * kLanes + 4 * half);
    int32x4_t sum = vaddq_s32(vld1q_s32(tile.filter[p] + t * padded + kLanes * v + 4 * half),
                              vdupq_n_s32(tile.window[p * planes + t % planes]));
    if constexpr (scaled) {
      sum = vmlaq_n_s32(sum, counts, tile.factor);
    } else {
      sum = vaddq_s32(sum, counts);
    }
    if constexpr (halves) sum = vshrq_n_s32(sum, 1);
    return sum;
  }
};

[[gnu::always_inline]] inline void PutFloats(float32x4_t low, float32x4_t high, int channels,
                                             float* out) {
  if (channels >= kLanes) {
    vst1q_f32(out, low);
    vst1q_f32(out + 4, high);
    return;
  }
  float values[kLanes];
  vst1q_f32(values, low);
  vst1q_f32(values + 4, high);
  std::memcpy(out, values, channels * sizeof *out);
}

template <bool scaled, bool halves>
void StoreFloats(const Call& call, const Tile& tile) {
  const Filter& filter = call.geometry.filter;
  const Sums<scaled, halves> sums(filter, tile);
  const int channels_out = filter.channels_out;
  for (int v = 0; v < Vectors(filter); ++v) {
    const float* scales = call.transform.scales + kLanes * v;
    const float* bias = call.transform.bias + kLanes * v;
    float* out = call.Floats(tile.first) + kLanes * v;
    const int channels = channels_out - kLanes * v;
    if (!filter.bases) {
      const float32x4_t scale[2] = {vld1q_f32(scales), vld1q_f32(scales + 4)};
      const float32x4_t shift[2] = {vld1q_f32(bias), vld1q_f32(bias + 4)};
      for (int p = 0; p < tile.pixels; ++p, out += channels_out) {
        float32x4_t y[2];
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
          const float32x4_t sum = vcvtq_f32_s32(sums.Of(p, 0, v, half));
          y[half] = vaddq_f32(vmulq_f32(sum, scale[half]), shift[half]);
        }
        PutFloats(y[0], y[1], channels, out);
      }
      continue;
    }
    for (int p = 0; p < tile.pixels; ++p, out += channels_out) {
      float32x4_t y[2] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)};
      for (int t = 0; t < filter.Terms(); ++t) {
        const float* scale = scales + t * sums.padded;
#pragma GCC unroll 2
        for (int half = 0; half < 2; ++half) {
          const float32x4_t sum = vcvtq_f32_s32(sums.Of(p, t, v, half));
          y[half] = vaddq_f32(y[half], vmulq_f32(sum, vld1q_f32(scale + 4 * half)));
        }
      }
      PutFloats(vaddq_f32(y[0], vld1q_f32(bias)), vaddq_f32(y[1], vld1q_f32(bias + 4)), channels,
                out);
    }
  }
}

// The levels of 8 channels, from their sums.
class Levels {
 public:
  Levels(const OutputTransform& transform, std::size_t padded)
      : transform_(transform), padded_(padded) {
    std::uint8_t bits[16] = {};
    std::memcpy(bits, transform.bits, transform.thresholds + 1);
    bits_ = vld1q_u8(bits);
  }

  // Their bits, a byte each.
  [[gnu::always_inline]] inline uint8x8_t Of(const int32x4_t (&sums)[2], int first) const {
    const std::int32_t* flip = transform_.flip + first;
    const int32x4_t low = veorq_s32(sums[0], vld1q_s32(flip));
    const int32x4_t high = veorq_s32(sums[1], vld1q_s32(flip + 4));
    uint16x8_t level = vdupq_n_u16(0);
    const std::int32_t* threshold = transform_.threshold + first;
    for (int t = 0; t < transform_.thresholds; ++t, threshold += padded_) {
      const uint16x4_t below = vmovn_u32(vcgeq_s32(low, vld1q_s32(threshold)));
      level = vsubq_u16(level, vmovn_high_u32(below, vcgeq_s32(high, vld1q_s32(threshold + 4))));
    }
    return vqtbl1_u8(bits_, vmovn_u16(level));
  }

 private:
  const OutputTransform& transform_;
  const std::size_t padded_;
  uint8x16_t bits_;
};

template <bool scaled, bool halves>
void StoreLevelBits(const Call& call, const Tile& tile) {
  const Filter& filter = call.geometry.filter;
  const OutputTransform& transform = call.transform;
  const Sums<scaled, halves> sums(filter, tile);
  const Levels levels(transform, sums.padded);
  const uint8x8_t bit_of_lane = vreinterpret_u8_u64(vdup_n_u64(0x8040201008040201));
  const int vectors = Vectors(filter);
  const std::size_t plane_bytes = PackedWords(filter.channels_out) * sizeof(std::uint32_t);
  for (int p = 0; p < tile.pixels; ++p) {
    auto* out = reinterpret_cast<std::uint8_t*>(call.Levels(tile.first + p));
    for (int v = 0; v < vectors; ++v) {
      const int channels = filter.channels_out - kLanes * v;
      const unsigned mask = channels >= kLanes ? 0xff : (1u << channels) - 1;
      const int32x4_t both[2] = {sums.Of(p, 0, v, 0), sums.Of(p, 0, v, 1)};
      const uint8x8_t bits = levels.Of(both, kLanes * v);
      for (int j = 0; j < transform.planes; ++j) {
        const uint8x8_t set = vtst_u8(bits, vdup_n_u8(static_cast<std::uint8_t>(1u << j)));
        out[j * plane_bytes + v] =
            static_cast<std::uint8_t>(vaddv_u8(vand_u8(set, bit_of_lane)) & mask);
      }
    }
    for (int j = 0; j < transform.planes; ++j) {
      std::memset(out + j * plane_bytes + vectors, 0, plane_bytes - vectors);
    }
  }
}

template <bool scaled, bool halves>
void StoreAny(const Call& call, const Tile& tile) {
  if (call.transform.type == OutputType::kLevels) {
    return StoreLevelBits<scaled, halves>(call, tile);
  }
  StoreFloats<scaled, halves>(call, tile);
}

}  // namespace

void Store(const Call& call, const Tile& tile) {
  if (tile.factor != 1) {
    return tile.halves ? StoreAny<true, true>(call, tile) : StoreAny<true, false>(call, tile);
  }
  tile.halves ? StoreAny<false, true>(call, tile) : StoreAny<false, false>(call, tile);
}

}  // namespace tfkit::kbit_conv2d::neon
