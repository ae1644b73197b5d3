// From accumulators to outputs.
//
// Kernels hand over the doubled popcount d = K - dot, where dot in [-K, K] is the convolution of
// the +-1 values and K = Filter::Depth(). Inside the image d is twice the number of differing bits;
// a zero-padded tap adds its channel count, which is why d is kept doubled: it is exact for odd
// channel counts too. Then, as LCE does it (mul rounds, add rounds, no fused multiply-add):
//
//   float      float(clamp(d)) * multiplier + bias
//   int8       the same with scale and zero point folded in, rounded half away from zero, saturated
//   bitpacked  bit = d / 2 > threshold
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/bconv2d/params.h"

namespace tfkit::bconv2d {

enum class OutputType { kFloat, kInt8, kBitpacked };
enum class Activation { kNone, kRelu, kReluN1To1, kRelu6 };

struct OutputTransform {
  OutputType type = OutputType::kFloat;
  std::int32_t clamp_min = 0;  // of d
  std::int32_t clamp_max = 0;
  std::vector<float> multiplier;        // [channels_out]; empty for bitpacked output
  std::vector<float> bias;              // [channels_out]; empty for bitpacked output
  std::vector<std::int32_t> threshold;  // [channels_out]; empty for the others
};

// multiplier and bias [channels_out] apply to the activated convolution; null means 1 and 0.
OutputTransform FloatOutput(const Filter&, Activation, const float* multiplier, const float* bias);
OutputTransform Int8Output(const Filter&, Activation, const float* multiplier, const float* bias,
                           float scale, int zero_point);
OutputTransform BitpackedOutput(const Filter&, const std::int32_t* threshold);

float ToFloat(const OutputTransform&, std::int32_t d, int channel);
std::int8_t ToInt8(const OutputTransform&, std::int32_t d, int channel);
bool ToBit(const OutputTransform&, std::int32_t d, int channel);

// Writes one output pixel, number `pixel` of the output tensor, from d [channels_out].
void StorePixel(const OutputTransform&, const std::int32_t* d, int channels_out, std::size_t pixel,
                void* output);

}  // namespace tfkit::bconv2d
