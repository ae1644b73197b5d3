// Images with the padding around them, so that loops over taps have neither bounds nor addresses to
// look up; and what such a loop's sums lack. For kernels of two stages: the first rewrites each row
// of the padded image in the order that the kernel reads, the second sums up output rows.
//
// With S_ij the bits that weight plane i and activation plane j share, R_j those of the window, T_i
// those of the filter's taps inside the image, n the values of the window, and each bit standing
// for step * b + lowest:
//
//   sum w_i a_j = ws as S_ij + wl as R_j + ws al T_i + wl al n
//
// and the same with 2^(i + j) S_ij, 2^j R_j and 2^i T_i added up where the planes make one integer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d {

struct PaddedImage {
  std::int64_t rows = 0;  // of one image; row r is the image's r - y.pad_before
  std::int64_t columns = 0;
  std::int64_t pixels = 0;  // of all images
};

PaddedImage PaddedOf(const Geometry&);

// kCannot where the padded image would be too large to be sensible, as far dilated taps of an
// untrusted model make it.
Fit PaddedFit(const Geometry&, std::int64_t pixel_bytes);

// Steps through the rewritten image, in bytes. Taps that lie side by side are read as one run.
struct Walk {
  std::ptrdiff_t pixel = 0;  // from one output pixel to the next
  std::ptrdiff_t row = 0;    // from one filter row to the next
  std::ptrdiff_t tap = 0;    // from one run to the next of the same filter row
  int rows = 0;
  int runs = 0;  // per filter row
  int taps = 0;  // per run
};

Walk WalkOf(const Geometry&, std::ptrdiff_t pixel_bytes);

// Byte of the rewritten image under the first tap of an output row's first pixel.
std::size_t RowStart(const Geometry&, std::int64_t row, std::ptrdiff_t pixel_bytes);

// Sums of the bits of each pixel's channels: int32 [pixels][sums], one of all planes' 2^j bits, or
// with bases one for each plane.
TFKIT_ALWAYS_INLINE int PixelSums(const Filter& filter) {
  return filter.bases ? filter.activations.planes : 1;
}

// One pixel of the padded image: its words [planes][PlaneWords()], or the padding's.
struct PaddedRow {
  const std::uint32_t* inside = nullptr;  // the image's row; null: all is padding
  const std::uint32_t* padding = nullptr;
  std::int64_t before = 0;  // columns of padding
  std::int64_t after = 0;   // the first column of padding behind the image
  std::size_t words = 0;

  TFKIT_ALWAYS_INLINE const std::uint32_t* Pixel(std::int64_t column) const {
    return inside && column >= before && column < after ? inside + (column - before) * words
                                                        : padding;
  }
};

// Row `unit` of all images' padded rows; fills `padding`.
PaddedRow PaddedRowOf(const Call&, std::int64_t unit, std::uint32_t* padding);

// The bits of a plane's last word that are channels.
TFKIT_ALWAYS_INLINE std::uint32_t LastWordMask(const Filter& filter) {
  const int rest = filter.channels_in % kWordBits;
  return rest ? (std::uint32_t{1} << rest) - 1 : ~std::uint32_t{0};
}

// [x.output][PixelSums] of an output row: wl (as R + al n).
void WindowTerms(const Call&, std::int64_t row, const std::int32_t* pixel_sums, std::int32_t* out);

// Most pixels and channels of a tile of sums.
constexpr int kMaxTilePixels = 8;
constexpr int kTileChannels = 64;

TFKIT_ALWAYS_INLINE constexpr int ChannelTiles(int channels_out) {
  return (channels_out + kTileChannels - 1) / kTileChannels;
}

// int32 [taps + 1][filter sums][PaddedChannels]: T of each tap, at last of all; one sum of all
// planes, or with bases one for each.
TFKIT_ALWAYS_INLINE int FilterSums(const Filter& filter) {
  return filter.bases ? filter.weights.planes : 1;
}
Buffer PackFilterSums(const Filter&, const std::uint32_t* stored);

// T of a tile's channels from `first` on under one window: [FilterSums][stride]. Null where
// activations have no offset that it is multiplied with; else in Call::tap_bits, or added up in
// `scratch` [FilterSums][kTileChannels] where the window leaves the image.
struct WindowFilterSums {
  const std::int32_t* sums;
  std::size_t stride;
};
WindowFilterSums FilterSumsOf(const Call&, int oy, int ox, int first, std::int32_t* scratch);

// What such kernels need, and where it lies.
struct PaddedScratch {
  std::uint8_t* image;         // [PaddedOf().pixels][pixel_bytes], shared
  std::int32_t* pixel_sums;    // shared
  std::uint32_t* padding;      // for PaddedRowOf
  std::int32_t* window_terms;  // of an output row
  std::int32_t* filter_sums;   // [kMaxTilePixels][FilterSums][kTileChannels]
};
Workspace PaddedWorkspace(const Geometry&, std::int64_t pixel_bytes);
PaddedScratch ScratchOf(const Call&, std::int64_t pixel_bytes, std::uint64_t* own);
// Stage 0 has the padded rows of all images, stage 1 the output rows.
std::int64_t PaddedUnits(const Geometry&, int stage);

}  // namespace tfkit::kbit_conv2d
