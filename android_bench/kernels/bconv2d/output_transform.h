// From accumulators to outputs.
//
// Kernels hand over the doubled popcount d = K - dot, where dot in [-K, K] is the convolution of
// the +-1 values and K = Filter::Depth(). Inside the image d is twice the number of differing bits;
// a zero-padded tap adds its channel count, which is why d is kept doubled: it is exact for odd
// channel counts too. Then, as LCE does it (mul rounds, add rounds, no fused multiply-add):
//
//   float      float(clamp(d)) * multiplier + bias; without `clamps` the clamp changes nothing
//   int8       the same with scale and zero point folded in, rounded half away from zero, saturated
//   bitpacked  bit = d / 2 > threshold (d >= 0 is even)
//
// Kernels may do this in their own way as long as the bits are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/bconv2d/params.h"
#include "kernels/buffer.h"

namespace tfkit::bconv2d {

enum class OutputType { kFloat, kInt8, kBitpacked };
enum class Activation { kNone, kRelu, kReluN1To1, kRelu6 };

struct OutputTransform {
  OutputType type = OutputType::kFloat;
  bool clamps = false;
  std::int32_t clamp_min = 0;  // of d
  std::int32_t clamp_max = 0;
  // [channels_out], aligned to kAlignment and readable, as zeros, up to the next multiple of
  // kChannelPadding.
  const float* multiplier = nullptr;         // null for bitpacked output
  const float* bias = nullptr;               // null for bitpacked output
  const std::int32_t* threshold = nullptr;   // null for the others
  std::shared_ptr<const Buffer> parameters;  // what they point into

  static constexpr int kChannelPadding = 64;
};

// multiplier and bias [channels_out] apply to the activated convolution; null means 1 and 0.
OutputTransform FloatOutput(const Filter&, Activation, const float* multiplier, const float* bias);
OutputTransform Int8Output(const Filter&, Activation, const float* multiplier, const float* bias,
                           float scale, int zero_point);
OutputTransform BitpackedOutput(const Filter&, const std::int32_t* threshold);

// Writes `pixels` output pixels from number `first` of the output tensor on, from d [pixels,
// channels_out].
void StorePixels(const OutputTransform&, const std::int32_t* d, int channels_out, std::size_t first,
                 int pixels, void* output);

}  // namespace tfkit::bconv2d
