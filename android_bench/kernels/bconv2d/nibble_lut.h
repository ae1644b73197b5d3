// Convolution by looking up nibbles, for CPUs whose byte shuffle is a table of 16 entries.
//
// For 4 channels of a pair of input pixels, a table of 16 bytes holds how many bits differ from
// each of the 16 possible filter nibbles: of the first pixel in the low half of a byte, of the
// second in the high half. One lookup of a filter's nibbles, one output channel to a byte, so
// counts for two output pixels at once; three such bytes are added before a half can overflow.
//
// The pairs are rows of the image: output row i goes with row i + LutLayout::paired_rows. Every
// pixel's tables are then built once and serve all taps that meet it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {

constexpr int kNibblesPerWord = 8;
constexpr int kTableBytes = 16;
// Filters are interleaved by this many output channels.
constexpr int kLutChannels = 32;

struct LutLayout {
  int paired_rows = 0;             // output rows i and i + paired_rows are computed together
  std::int64_t pair_step = 0;      // in pixels, between the two input rows of a pair
  std::int64_t rows = 0;           // of tables of one image; row r pairs r - y.pad_before with
                                   // r - y.pad_before + pair_step
  std::int64_t columns = 0;        // of tables; column c stands for pixel c - x.pad_before
  std::int64_t pixel_nibbles = 0;  // tables of one pixel
};

LutLayout LutLayoutOf(const Geometry&);

Fit LutFit(const Geometry&);
// Bytes [groups, blocks of kLutChannels, taps, nibbles of a tap, kLutChannels]: the nibbles of each
// channel's filter, in the low half of a byte. Byte 2i is channel i, byte 2i + 1 is channel 16 + i
// of the block, so that the even and the odd bytes are 16 channels in order.
PackedFilter PackLut(const Filter&, const std::uint32_t* filter);
Workspace LutWorkspace(const Geometry&);
// Stage 0 builds tables, a unit is a row of them; of stage 1 a unit is a pair of output rows.
std::int64_t LutUnits(const Geometry&, int stage);

}  // namespace tfkit::bconv2d
