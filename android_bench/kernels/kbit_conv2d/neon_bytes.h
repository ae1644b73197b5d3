// Products of bytes instead of bits: weights are unpacked once, activations a row at a time, and
// cost depends on neither's bits. What differs is the instruction that multiplies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"
#include "kernels/kbit_conv2d/kernel.h"
#include "kernels/kbit_conv2d/neon_rows.h"

namespace tfkit::kbit_conv2d::neon {

constexpr int kStepChannels = 16;  // bytes of a vector

// Channels of a tap in whole vectors; those beyond the last are 0.
TFKIT_ALWAYS_INLINE int TapBytes(const Filter& filter) {
  return (filter.channels_in + kStepChannels - 1) / kStepChannels * kStepChannels;
}

// Vectors of channels under a row of the filter.
TFKIT_ALWAYS_INLINE int RowSteps(const Filter& filter) {
  return filter.width * (TapBytes(filter) / kStepChannels);
}

// The windows of some pixels: uint8 [steps][kStepChannels] from rows[fy] + offsets[p] on.
struct Windows {
  const std::uint8_t* const* rows;
  const std::size_t* offsets;
  int height;
  int steps;
  int flush;  // steps whose products' sums fit 16 bits
};

// Sums of all channels, int32 [vectors][pixels][8].
using ByteFunction = void (*)(const Windows&, const std::uint8_t* weights, int vectors,
                              std::int32_t* sums);

// [pixels], up to kTilePixels.
using ByteFunctions = ByteFunction[9];

// Where weight bytes of 8 output channels and one step go; either is [8 x kStepChannels].
enum class ByteOrder {
  kQuads,     // [channels / 4][4 output channels][4 channels], of 4 and then of the other 4
  kChannels,  // [output channels][kStepChannels], in two halves of 4 for all steps
};

// Whether sums have but one term, and the rows at hand fit the workspace.
bool BytesCan(const Geometry&);
// Largest product of two bytes.
int LargestProduct(const Filter&);

PackedFilter PackBytes(const Filter&, const std::uint32_t* stored, ByteOrder);
Workspace BytesWorkspace(const Geometry&);
void RunBytes(const Call&, const ByteFunctions&, std::int64_t begin, std::int64_t end,
              std::uint64_t* own);

}  // namespace tfkit::kbit_conv2d::neon
