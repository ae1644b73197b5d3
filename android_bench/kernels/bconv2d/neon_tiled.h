// What the NEON kernels that count with CNT share; they differ in their innermost loop only.
//
// The words under the windows of up to 8 output pixels are gathered into a patch, which then meets
// the whole filter, 8 output channels at a time, 128 bits a step.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d::neon {

constexpr int kTilePixels = 8;
constexpr int kTileChannels = 8;

// Counts of differing bits, uint16 [vectors, pixels, kTileChannels], from
//   patch    [steps, pixels, 16 bytes], then perhaps [pixels rounded up to even, 8 bytes]
//   weights  [vectors] of [steps, kTileChannels, 16 bytes], then perhaps
//            [kTileChannels, 16 bytes], each 8 bytes twice
using CountFunction = void (*)(const std::uint8_t* patch, const std::uint8_t* weights,
                               std::size_t vectors, std::size_t steps, std::uint16_t* counts);

// Where the outputs of a group's pixels go, and what makes them of the counts.
struct OutputPlace {
  const float* multiplier;        // of the group's first channel; or
  const std::int32_t* threshold;  // if bitpacked
  const float* bias;
  std::uint8_t* output;
  std::size_t pitch;  // bytes from pixel to pixel
};

// The same without counts in between, whose loads and stores would not go under the arithmetic.
using OutputFunction = void (*)(const std::uint8_t* patch, const std::uint8_t* weights,
                                std::size_t vectors, std::size_t steps, const OutputPlace&);

// [half step behind the steps or not][pixels]; no OutputFunction where counts have to do.
struct TileFunctions {
  CountFunction count[2][kTilePixels + 1];
  OutputFunction to_float[2][kTilePixels + 1];  // without activation
  OutputFunction to_bits[2][kTilePixels + 1];
};

// Those of neon_xnor.cc and of neon_inorder.cc.
extern const TileFunctions kXnorLoops;
extern const TileFunctions kInOrderLoops;

PackedFilter PackTiles(const Filter&, const std::uint32_t* filter);
Workspace TiledWorkspace(const Geometry&);
// A unit is an output row.
std::int64_t TiledUnits(const Geometry&, int stage);
void RunTiled(const Call&, const TileFunctions&, std::int64_t begin, std::int64_t end,
              std::uint64_t* own);

}  // namespace tfkit::bconv2d::neon
