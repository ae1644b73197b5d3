// Convolution by looking up nibbles, for CPUs whose byte shuffle is a table of 16 entries.
//
// For 4 channels of an input pixel, a table of 16 bytes holds the sum of their activations' bits,
// 2^j of plane j, over each subset of the channels. A nibble of one weight plane is a subset, so
// one lookup adds up 4 products whatever the number of activation planes. A register looks up 16
// output channels in each of its 128-bit lanes, which hold neighbouring tables, as they lie in
// memory. Every pixel's tables are built once and serve all taps that
// meet it; cost is linear in the weight planes.
#pragma once

#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d {

constexpr int kNibblesPerWord = 8;
constexpr int kTableBytes = 16;

// Largest sum in a table.
TFKIT_ALWAYS_INLINE constexpr int MostOfTable(int activation_planes) {
  return 4 * ((1 << activation_planes) - 1);
}

TFKIT_ALWAYS_INLINE std::ptrdiff_t LutPixelBytes(const Filter& filter) {
  return std::ptrdiff_t{filter.PlaneWords()} * (kNibblesPerWord * kTableBytes);
}

// Of the weights of a block of channels.
TFKIT_ALWAYS_INLINE std::size_t LutBlockBytes(const Filter& filter) {
  return std::size_t(filter.Taps()) * filter.PlaneWords() * kNibblesPerWord *
         filter.weights.planes * kBlock;
}

// kCannot: bases, more weight planes than a tile has sums for, or tables of no sensible size.
bool LutCan(const Geometry&);

// Bytes [blocks of 16 channels][taps][registers of a tap][planes][tables][16]: the nibbles of each
// channel's filter, in the low half of a byte. A register meets `tables` neighbouring tables, one
// in each of its 128-bit lanes, of which byte 2i is channel i and byte 2i + 1 is channel 8 + i, so
// that even and odd bytes are channels in order.
PackedFilter PackLut(const Filter&, const std::uint32_t* stored, int tables);

Workspace LutWorkspace(const Geometry&);

}  // namespace tfkit::kbit_conv2d
