// Few-bit values as bytes, for instructions that multiply bytes and add neighbouring products. Both
// are the unsigned numbers of their bits: of weights up to 255, of activations up to 15, so that
// either may be the signed operand or the unsigned one.
#pragma once

#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d {

// Channels whose products are added into one lane.
constexpr int kByteChannels = 4;

TFKIT_ALWAYS_INLINE int ByteGroups(const Filter& filter) {
  return (filter.channels_in + kByteChannels - 1) / kByteChannels;
}

// uint8 [groups of channels][kByteChannels], zeros beyond the last channel.
TFKIT_ALWAYS_INLINE std::ptrdiff_t BytesPixelBytes(const Filter& filter) {
  return std::ptrdiff_t{ByteGroups(filter)} * kByteChannels;
}

TFKIT_ALWAYS_INLINE std::size_t BytesTileBytes(const Filter& filter) {
  return std::size_t(filter.Taps()) * BytesPixelBytes(filter) * kTileChannels;
}

// Where planes are no number, or the bytes of no sensible size, no kernel of bytes can run.
bool BytesCan(const Geometry&);

// uint8 [channel tiles][taps][groups of channels][lanes][kByteChannels]: a tile has kTileChannels
// lanes, the last one as many as its blocks have channels.
PackedFilter PackBytes(const Filter&, const std::uint32_t* stored);

Workspace BytesWorkspace(const Geometry&);

}  // namespace tfkit::kbit_conv2d
