// From sums to outputs.
//
//   floats  y = float(sum) * scale[c] + bias[c]; with bases
//           y = (0 + float(sum_0) * scale[0][c] + float(sum_1) * scale[1][c] ...) + bias[c],
//           term (i, j) of weight plane i and activation plane j at i * activations.planes + j.
//           Each operation rounds once.
//   levels  the number of thresholds that the sum reaches, (sum ^ flip[c]) >= threshold[t][c], as
//           the bits that the next convolution reads. flip is 0, or -1 where the level falls as the
//           sum rises: ~sum then rises. Not with bases, whose sums are several.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kbit_conv2d/params.h"

namespace tfkit::kbit_conv2d {

// Channels of an output block: parameters and tap sums are readable up to a multiple of it.
constexpr int kBlock = 16;

TFKIT_ALWAYS_INLINE constexpr std::size_t PaddedChannels(int channels) {
  return (std::size_t(channels) + kBlock - 1) / kBlock * kBlock;
}

enum class OutputType { kFloats, kLevels };

struct OutputTransform {
  OutputType type = OutputType::kFloats;
  // Of floats.
  const float* scales = nullptr;  // [Terms()][PaddedChannels]
  const float* bias = nullptr;    // [PaddedChannels]
  // Of levels.
  int planes = 0;                           // up to kMaxActivationPlanes
  int thresholds = 0;                       // up to kMaxThresholds
  const std::int32_t* threshold = nullptr;  // [thresholds][PaddedChannels], rising in a channel
  const std::int32_t* flip = nullptr;       // [PaddedChannels]
  const std::uint8_t* bits = nullptr;       // [thresholds + 1]

  static constexpr int kMaxThresholds = (1 << kMaxActivationPlanes) - 1;

  // Of one pixel: floats, or words of 32 channels, plane after plane.
  TFKIT_ALWAYS_INLINE std::size_t PixelElements(int channels_out) const {
    return type == OutputType::kFloats ? std::size_t(channels_out)
                                       : std::size_t(planes) * PackedWords(channels_out);
  }
};

// The bits of a block's channels in one plane, into the output's pixel of `pixel` words. Bits
// beyond channels_out must be clear; the last block of an odd number of them clears the rest of its
// word.
TFKIT_ALWAYS_INLINE void StoreBlockBits(std::uint32_t* pixel, int plane, int block,
                                        int channels_out, std::uint32_t bits) {
  char* out = reinterpret_cast<char*>(pixel + plane * PackedWords(channels_out)) + block * 2;
  if (block % 2 == 0 && (block + 1) * kBlock >= channels_out) {
    __builtin_memcpy(out, &bits, 4);
  } else {
    __builtin_memcpy(out, &bits, 2);
  }
}

// The levels of one block, from its sums [kBlock], to the pixel's words.
void StoreLevels(const OutputTransform&, int channels_out, int block, const std::int32_t* sums,
                 std::uint32_t* pixel);

}  // namespace tfkit::kbit_conv2d
