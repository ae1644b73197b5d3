// Bit-serial on the padded image: a word of each activation plane, one after the other, meets the
// words of 16 channels' filters, so that what is loaded of the weights serves all planes.
#pragma once

#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d {

// uint32 [words][activation planes].
TFKIT_ALWAYS_INLINE std::ptrdiff_t SerialPixelBytes(const Filter& filter) {
  return std::ptrdiff_t{filter.InputWords()} * 4;
}

TFKIT_ALWAYS_INLINE std::size_t SerialTileBytes(const Filter& filter) {
  return std::size_t(filter.weights.planes) * filter.Taps() * filter.PlaneWords() * kTileChannels *
         4;
}

// uint32 [channel tiles][planes][taps][words][lanes]: a tile has kTileChannels lanes, the last one
// as many as its blocks have channels.
PackedFilter PackSerial(const Filter&, const std::uint32_t* stored);

Workspace SerialWorkspace(const Geometry&);

}  // namespace tfkit::kbit_conv2d
