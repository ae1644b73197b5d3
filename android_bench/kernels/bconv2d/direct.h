// What kernels share that convolve directly, a vector of output channels at a time: each lane holds
// the 32-bit words of one channel's filter and meets a broadcast word of the image.
//
// The rows under the windows of a few output rows are copied into a band with the padding around
// them, so that the loop over the taps has neither bounds nor addresses to look up. 32-bit lanes
// need no even number of words, and their sums are what the output transform starts from.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {

// Steps through a band, in words. Taps that lie side by side are read as one.
struct BandLayout {
  std::ptrdiff_t pixel = 0;  // from one output pixel to the next
  std::ptrdiff_t row = 0;    // from one filter row to the next
  std::ptrdiff_t down = 0;   // from one output row to the next
  std::ptrdiff_t tap = 0;    // from one run of words to the next of the same filter row
  int rows = 0;
  int runs = 0;   // per filter row
  int words = 0;  // per run
};

// Neighbouring pixels of one row by the channels of a tile.
struct DirectStrip {
  const std::uint32_t* band;       // under the first tap of the first pixel
  const std::uint32_t* weights;    // [filter rows x runs x words, channels up to whole vectors]
  const std::int32_t* correction;  // null or [pixels, DirectKernel::tile_channels], to add to d
  std::int32_t* d;                 // null, or [pixels, channels_out] to write d to
  std::size_t pixel;               // the first, of the output tensor
  int pixels;                      // at most a tile's with `correction` or `d`
  int channel;                     // the first, of channels_out
  int channels;                    // that exist; lanes beyond hold anything
};

struct DirectKernel {
  int vector_channels;
  int tile_channels;  // <= kMaxTileChannels
  int tile_pixels;    // <= kMaxTilePixels
  // Sums up a strip, tile by tile, and writes it to `d` or transformed to the output.
  void (*strip)(const Call&, const BandLayout&, const DirectStrip&);

  static constexpr int kMaxTileChannels = 64;
  static constexpr int kMaxTilePixels = 4;
};

// kCannot where the band would be too large to be sensible, kSuits else.
Fit DirectFit(const Geometry&);
// words: [groups, channel tiles, taps x words, lanes]; lanes beyond the last channel are clear.
PackedFilter PackDirect(const DirectKernel&, const Filter&, const std::uint32_t* filter);
Workspace DirectWorkspace(const Geometry&);
// A unit is an output row.
std::int64_t DirectUnits(const Geometry&, int stage);
void RunDirect(const DirectKernel&, const Call&, std::int64_t begin, std::int64_t end,
               std::uint64_t* own);

}  // namespace tfkit::bconv2d
