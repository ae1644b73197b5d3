// Pixels at the edges of an image that is padded with zeros: few, so that their sums go through
// memory, but no reason to leave the vectors.
#include <arm_neon.h>

#include <cstring>

#include "kernels/bconv2d/neon_output.h"
#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d::neon {
namespace {

struct Doubled {
  int32x4_t half[2];
};

// d of 8 channels from their counts.
Doubled Double(const std::uint16_t* counts) {
  const uint16x8_t vector = vld1q_u16(counts);
  return {{vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(vector), 1)),
           vreinterpretq_s32_u32(vshll_high_n_u16(vector, 1))}};
}

// d of a pixel, all channels in order, from its counts.
void Gather(const Filter& filter, const Counts& counts, int p, std::int32_t* d) {
  const std::uint16_t* data = counts.data + p * kLanes;
  for (int group = 0; group < filter.groups; ++group) {
    for (int left = filter.OutputsPerGroup(); left > 0; left -= kLanes) {
      const int count = left < kLanes ? left : kLanes;
      const Doubled doubled = Double(data);
      std::int32_t lanes[kLanes];
      std::int32_t* out = count == kLanes ? d : lanes;
      vst1q_s32(out, doubled.half[0]);
      vst1q_s32(out + 4, doubled.half[1]);
      if (count < kLanes) std::memcpy(d, lanes, count * sizeof *d);
      d += count;
      data += counts.pixels * kLanes;
    }
  }
}

// Writes up to 8 outputs of a pixel, from channel `first` on, as the parameters are readable for 8.
void StoreLanes(const OutputTransform& transform, const Doubled& d, int first, int count,
                void* output) {
  const std::size_t bytes = count;
  if (transform.type == OutputType::kBitpacked) {
    const std::uint32_t kBits[4] = {1, 2, 4, 8};
    std::uint8_t bits = 0;
    for (int half = 0; half < 2; ++half) {
      // d is never negative.
      const uint32x4_t beyond = vcgtq_s32(vshrq_n_s32(d.half[half], 1),
                                          vld1q_s32(transform.threshold + first + 4 * half));
      const std::uint32_t four = vaddvq_u32(vandq_u32(beyond, vld1q_u32(kBits)));
      bits = static_cast<std::uint8_t>(bits | four << (4 * half));
    }
    bits &= static_cast<std::uint8_t>((1u << count) - 1);
    static_cast<std::uint8_t*>(output)[first / 8] = bits;
    return;
  }
  float32x4_t value[2];
  for (int half = 0; half < 2; ++half) {
    const int32x4_t clamped = vminq_s32(vmaxq_s32(d.half[half], vdupq_n_s32(transform.clamp_min)),
                                        vdupq_n_s32(transform.clamp_max));
    const float32x4_t product =
        vmulq_f32(vcvtq_f32_s32(clamped), vld1q_f32(transform.multiplier + first + 4 * half));
    value[half] = vaddq_f32(product, vld1q_f32(transform.bias + first + 4 * half));
  }
  if (transform.type == OutputType::kInt8) {
    std::int8_t lanes[kLanes];
    vst1_s8(lanes, ToInt8s(value[0], value[1]));
    std::memcpy(static_cast<std::int8_t*>(output) + first, lanes, bytes);
    return;
  }
  float lanes[kLanes];
  vst1q_f32(lanes, value[0]);
  vst1q_f32(lanes + 4, value[1]);
  std::memcpy(static_cast<float*>(output) + first, lanes, bytes * sizeof(float));
}

void StorePixel(const OutputTransform& transform, const std::int32_t* d, int channels,
                std::size_t pixel, void* output) {
  auto* bytes = static_cast<std::uint8_t*>(output);
  const std::size_t words = PackedWords(channels);
  switch (transform.type) {
    case OutputType::kFloat:
      bytes += pixel * channels * sizeof(float);
      break;
    case OutputType::kInt8:
      bytes += pixel * channels;
      break;
    case OutputType::kBitpacked:
      bytes += pixel * words * sizeof(std::uint32_t);
      std::memset(bytes, 0, words * sizeof(std::uint32_t));
      break;
  }
  int c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    StoreLanes(transform, {{vld1q_s32(d + c), vld1q_s32(d + c + 4)}}, c, kLanes, bytes);
  }
  if (c < channels) {
    std::int32_t lanes[kLanes] = {};
    std::memcpy(lanes, d + c, (channels - c) * sizeof *d);
    StoreLanes(transform, {{vld1q_s32(lanes), vld1q_s32(lanes + 4)}}, c, channels - c, bytes);
  }
}

}  // namespace

void StoreZeroPadded(const Call& call, const Counts& counts, std::int32_t* d) {
  const Geometry& geometry = call.geometry;
  const int channels_out = geometry.filter.channels_out;
  for (int p = 0; p < counts.pixels; ++p) {
    const std::size_t pixel = counts.first + p;
    const int ox = static_cast<int>(pixel % geometry.x.output);
    const int oy = static_cast<int>(pixel / geometry.x.output % geometry.y.output);
    if (!TouchesPadding(geometry, oy, ox)) continue;
    Gather(geometry.filter, counts, p, d);
    AddZeroTaps(call, oy, ox, 0, channels_out, d);
    StorePixel(call.transform, d, channels_out, pixel, call.output);
  }
}

}  // namespace tfkit::bconv2d::neon
