// A few-bit quantizer as nodes hold it: the bits of its levels, and thresholds that a convolution
// in front of it has taken over (kernels/kbit_conv2d/README.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/node_view.h"
#include "kernels/kbit_conv2d/output_transform.h"

namespace tfkit {

// The constant int32 [levels] of input `input`, each below 1 << planes. Throws Unsupported.
std::vector<std::uint8_t> ReadLevelBits(const NodeView&, int input, int levels, int planes);

// A mask with a bit for each channel: the constant int32 [words] of input `input`, or none where it
// is absent. Throws Unsupported.
std::vector<std::uint32_t> ReadChannelMask(const NodeView&, int input, const char* name,
                                           int channels);

// What becomes of a convolution's sums, or with bases of its float outputs.
class KBitLevels {
 public:
  KBitLevels() = default;
  // Thresholds, level bits and falling channels are the inputs from `first` on. Throws Unsupported.
  KBitLevels(const NodeView&, int first, const kbit_conv2d::Filter&, int planes);

  // For sums that are one integer.
  void Fill(kbit_conv2d::OutputTransform&) const;
  // For bases: the levels of floats [pixels, channels] as words [pixels, planes, words of
  // channels].
  void Store(const float* values, std::size_t pixels, std::uint32_t* words) const;

  std::size_t bytes() const;

 private:
  void StoreBlock(const float* values, int block, std::uint32_t* pixel) const;

  int channels_ = 0;
  int planes_ = 0;
  int thresholds_ = 0;
  std::vector<std::uint8_t> bits_;  // of each level
  // Padded to whole blocks of channels, a threshold of all channels after the other.
  std::vector<std::int32_t> flip_;
  std::vector<std::int32_t> of_sums_;
  std::vector<float> of_floats_;
};

}  // namespace tfkit
