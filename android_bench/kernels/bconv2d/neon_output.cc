#include "kernels/bconv2d/neon_output.h"

#include <arm_neon.h>

#include <cstring>

namespace tfkit::bconv2d::neon {
namespace {

// kLanes channels that lie side by side in the output; fewer at the end of a group.
struct Channels {
  int first;
  int count;
};

struct ToFloat {
  using Output = float;

  template <bool clamps, bool zips>
  static void Store(const Linear& linear, uint16x8_t counts, float* output) {
    const float32x4_t low = linear.Of<clamps, zips>(counts, 0);  // vst1q_f32 may be a macro
    const float32x4_t high = linear.Of<clamps, zips>(counts, 1);
    vst1q_f32(output, low);
    vst1q_f32(output + 4, high);
  }
};

struct ToInt8 {
  using Output = std::int8_t;

  template <bool clamps, bool zips>
  static void Store(const Linear& linear, uint16x8_t counts, std::int8_t* output) {
    const float32x4_t low = linear.Of<clamps, zips>(counts, 0);
    const float32x4_t high = linear.Of<clamps, zips>(counts, 1);
    vst1_s8(output, ToInt8s(low, high));
  }
};

// The last channels of a group, fewer than a vector.
template <typename To, bool clamps, bool zips>
[[gnu::noinline]] void StoreRest(const OutputTransform& transform, const std::uint16_t* counts,
                                 int pixels, int channels, int first, std::size_t pitch,
                                 typename To::Output* output) {
  float multiplier[kLanes] = {};
  float bias[kLanes] = {};
  std::memcpy(multiplier, transform.multiplier + first, channels * sizeof *multiplier);
  std::memcpy(bias, transform.bias + first, channels * sizeof *bias);
  const Linear linear = LinearOf(multiplier, bias, transform.clamp_min, transform.clamp_max);
  for (int p = 0; p < pixels; ++p, counts += kLanes, output += pitch) {
    typename To::Output values[kLanes];
    To::template Store<clamps, zips>(linear, vld1q_u16(counts), values);
    std::memcpy(output, values, channels * sizeof *values);
  }
}

// The usual numbers of pixels are known at compile time: `known`, else 0.
template <typename To, bool clamps, bool zips, int known>
void StoreLinear(const Call& call, const Counts& counts) {
  const Filter& filter = call.geometry.filter;
  const OutputTransform& transform = call.transform;
  const std::size_t pitch = filter.channels_out;
  const int outputs = filter.OutputsPerGroup();
  const int pixels = known == 0 ? counts.pixels : known;
  const std::uint16_t* data = counts.data;
  auto* output = static_cast<typename To::Output*>(call.output) + counts.first * pitch;
  int channel = 0;
  for (int group = 0; group < filter.groups; ++group) {
    int left = outputs;
    for (; left >= kLanes; left -= kLanes, channel += kLanes, data += pixels * kLanes) {
      const Linear linear = LinearOf(transform.multiplier + channel, transform.bias + channel,
                                     transform.clamp_min, transform.clamp_max);
      auto* place = output + channel;
      const auto store = [&](int p) {
        To::template Store<clamps, zips>(linear, vld1q_u16(data + p * kLanes), place);
        place += pitch;
      };
      if constexpr (known != 0) {
#pragma GCC unroll 8
        for (int p = 0; p < known; ++p) store(p);
      } else {
        for (int p = 0; p < pixels; ++p) store(p);
      }
    }
    if (left > 0) {
      StoreRest<To, clamps, zips>(transform, data, pixels, left, channel, pitch, output + channel);
      data += pixels * kLanes;
      channel += left;
    }
  }
}

template <typename To, bool clamps, bool zips>
void StoreLinear(const Call& call, const Counts& counts) {
  if (counts.pixels == 8) return StoreLinear<To, clamps, zips, 8>(call, counts);
  if (counts.pixels == 7) return StoreLinear<To, clamps, zips, 7>(call, counts);
  if (counts.pixels == 6) return StoreLinear<To, clamps, zips, 6>(call, counts);
  StoreLinear<To, clamps, zips, 0>(call, counts);
}

std::uint64_t BitsAt(const std::int32_t* thresholds, const std::uint16_t* counts) {
  uint16x8_t vectors[8];
  for (int p = 0; p < 8; ++p) vectors[p] = vld1q_u16(counts + p * kLanes);
  return vget_lane_u64(vreinterpret_u64_u8(Bits(thresholds, vectors)), 0);
}

void StoreBits(const Call& call, const std::uint16_t* counts, int pixels, Channels channels,
               std::uint8_t* output) {
  const std::size_t pitch = PackedWords(call.geometry.filter.channels_out) * 4;
  std::uint64_t bits;
  if (channels.count == kLanes) {
    bits = BitsAt(call.transform.threshold + channels.first, counts);
  } else {
    std::int32_t thresholds[kLanes] = {};
    std::memcpy(thresholds, call.transform.threshold + channels.first,
                channels.count * sizeof *thresholds);
    bits = BitsAt(thresholds, counts) & (((1u << channels.count) - 1) * 0x0101010101010101ull);
  }
  output += channels.first / 8;
  const int shift = channels.first % 8;
  if (shift == 0 && pixels >= 7) {  // most often
#pragma GCC unroll 7
    for (int p = 0; p < 7; ++p, output += pitch) {
      *output = static_cast<std::uint8_t>(bits >> (8 * p));
    }
    if (pixels == 8) *output = static_cast<std::uint8_t>(bits >> 56);
    return;
  }
  for (int p = 0; p < pixels; ++p, bits >>= 8, output += pitch) {
    if (shift == 0) {
      *output = static_cast<std::uint8_t>(bits);
    } else {
      const unsigned shifted = static_cast<unsigned>(bits & 0xff) << shift;
      output[0] |= static_cast<std::uint8_t>(shifted);
      if (shifted > 0xff) output[1] |= static_cast<std::uint8_t>(shifted >> 8);
    }
  }
}

template <typename StoreChannels>
void ForEachVector(const Filter& filter, const Counts& counts, StoreChannels store) {
  const int outputs = filter.OutputsPerGroup();
  const std::uint16_t* data = counts.data;
  for (int group = 0; group < filter.groups; ++group) {
    for (int c = 0; c < outputs; c += kLanes, data += counts.pixels * kLanes) {
      const int left = outputs - c;
      store(data, Channels{group * outputs + c, left < kLanes ? left : kLanes});
    }
  }
}

template <typename To>
void StoreAllLinear(const Call& call, const Counts& counts) {
  if (call.transform.clamps) return StoreLinear<To, true, false>(call, counts);
  if (counts.zips) return StoreLinear<To, false, true>(call, counts);
  StoreLinear<To, false, false>(call, counts);
}

void StoreAllBits(const Call& call, const Counts& counts) {
  const Filter& filter = call.geometry.filter;
  const std::size_t words = PackedWords(filter.channels_out);
  auto* output = static_cast<std::uint32_t*>(call.output) + counts.first * words;
  // Groups that share a byte are or-ed together, and bytes beyond the last channel stay clear.
  if (filter.channels_out % kWordBits != 0 || filter.OutputsPerGroup() % 8 != 0) {
    std::memset(output, 0, counts.pixels * words * sizeof *output);
  }
  ForEachVector(filter, counts, [&](const std::uint16_t* data, Channels channels) {
    StoreBits(call, data, counts.pixels, channels, reinterpret_cast<std::uint8_t*>(output));
  });
}

}  // namespace

int VectorsPerGroup(const Filter& filter) {
  return (filter.OutputsPerGroup() + kLanes - 1) / kLanes;
}

void Store(const Call& call, const Counts& counts) {
  switch (call.transform.type) {
    case OutputType::kFloat:
      return StoreAllLinear<ToFloat>(call, counts);
    case OutputType::kInt8:
      return StoreAllLinear<ToInt8>(call, counts);
    case OutputType::kBitpacked:
      return StoreAllBits(call, counts);
  }
}

}  // namespace tfkit::bconv2d::neon
