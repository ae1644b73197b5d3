#include "kernels/bconv2d/output_transform.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace tfkit::bconv2d {
namespace {

struct Range {
  std::int32_t min;
  std::int32_t max;
};

Range ActivationRange(Activation activation) {
  constexpr auto kMax = std::numeric_limits<std::int32_t>::max();
  switch (activation) {
    case Activation::kRelu:
      return {0, kMax};
    case Activation::kReluN1To1:
      return {-1, 1};
    case Activation::kRelu6:
      return {0, 6};
    case Activation::kNone:
      break;
  }
  return {std::numeric_limits<std::int32_t>::min(), kMax};
}

// Arrays of channels_out, padded as OutputTransform promises, side by side in one buffer.
template <typename T, int kArrays>
std::shared_ptr<const Buffer> Parameters(int channels_out, T* (&arrays)[kArrays]) {
  constexpr std::size_t kPadding = OutputTransform::kChannelPadding;
  static_assert(sizeof(T) == 4 && kPadding * sizeof(T) % kAlignment == 0);
  const std::size_t padded = (channels_out + kPadding - 1) / kPadding * kPadding;
  auto buffer = std::make_shared<Buffer>(kArrays * padded / 2);
  for (int i = 0; i < kArrays; ++i) arrays[i] = reinterpret_cast<T*>(buffer->data()) + i * padded;
  return buffer;
}

// With d = K - dot: dot * m + b = d * -m + (b + K * m), computed in double and rounded once.
OutputTransform LinearOutput(OutputType type, const Filter& filter, Activation activation,
                             const float* multiplier, const float* bias, double scale,
                             double zero_point) {
  const std::int32_t depth = filter.Depth();
  const Range range = ActivationRange(activation);
  float* linear[2];
  OutputTransform transform;
  transform.type = type;
  transform.clamps = activation != Activation::kNone;
  transform.clamp_min = depth - std::min(range.max, depth);
  transform.clamp_max = depth - std::max(range.min, -depth);
  transform.parameters = Parameters(filter.channels_out, linear);
  transform.multiplier = linear[0];
  transform.bias = linear[1];
  for (int c = 0; c < filter.channels_out; ++c) {
    const double m = multiplier ? multiplier[c] : 1.0;
    const double b = bias ? bias[c] : 0.0;
    linear[0][c] = static_cast<float>(-m / scale);
    linear[1][c] = static_cast<float>((b + depth * m) / scale + zero_point);
  }
  return transform;
}

float ToFloat(const OutputTransform& transform, std::int32_t d, int channel) {
  const std::int32_t clamped = std::clamp(d, transform.clamp_min, transform.clamp_max);
  return static_cast<float>(clamped) * transform.multiplier[channel] + transform.bias[channel];
}

std::int8_t ToInt8(const OutputTransform& transform, std::int32_t d, int channel) {
  const float rounded = std::round(ToFloat(transform, d, channel));
  if (rounded >= 127.0f) return 127;
  if (rounded > -128.0f) return static_cast<std::int8_t>(rounded);
  return -128;  // NaN too
}

bool ToBit(const OutputTransform& transform, std::int32_t d, int channel) {
  return d / 2 > transform.threshold[channel];
}

}  // namespace

OutputTransform FloatOutput(const Filter& filter, Activation activation, const float* multiplier,
                            const float* bias) {
  return LinearOutput(OutputType::kFloat, filter, activation, multiplier, bias, 1.0, 0.0);
}

OutputTransform Int8Output(const Filter& filter, Activation activation, const float* multiplier,
                           const float* bias, float scale, int zero_point) {
  return LinearOutput(OutputType::kInt8, filter, activation, multiplier, bias, scale, zero_point);
}

OutputTransform BitpackedOutput(const Filter& filter, const std::int32_t* threshold) {
  std::int32_t* thresholds[1];
  OutputTransform transform;
  transform.type = OutputType::kBitpacked;
  transform.parameters = Parameters(filter.channels_out, thresholds);
  transform.threshold = thresholds[0];
  std::copy(threshold, threshold + filter.channels_out, thresholds[0]);
  return transform;
}

void StorePixels(const OutputTransform& transform, const std::int32_t* d, int channels_out,
                 std::size_t first, int pixels, void* output) {
  switch (transform.type) {
    case OutputType::kFloat: {
      float* out = static_cast<float*>(output) + first * channels_out;
      for (int p = 0; p < pixels; ++p) {
        for (int c = 0; c < channels_out; ++c) *out++ = ToFloat(transform, *d++, c);
      }
      break;
    }
    case OutputType::kInt8: {
      std::int8_t* out = static_cast<std::int8_t*>(output) + first * channels_out;
      for (int p = 0; p < pixels; ++p) {
        for (int c = 0; c < channels_out; ++c) *out++ = ToInt8(transform, *d++, c);
      }
      break;
    }
    case OutputType::kBitpacked: {
      const std::int64_t words = PackedWords(channels_out);
      std::uint32_t* out = static_cast<std::uint32_t*>(output) + first * words;
      for (int p = 0; p < pixels; ++p, out += words) {
        std::fill(out, out + words, 0);
        for (int c = 0; c < channels_out; ++c) {
          out[c / kWordBits] |= std::uint32_t{ToBit(transform, *d++, c)} << (c % kWordBits);
        }
      }
      break;
    }
  }
}

}  // namespace tfkit::bconv2d
