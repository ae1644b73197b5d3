// What the bit-serial kernels share that needs no instruction set: their order of weights.
#pragma once

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d {

// Most pixels of a tile.
constexpr int kTilePixels = 8;

// Words of one plane of a window.
TFKIT_ALWAYS_INLINE int PatchWords(const Filter& filter) {
  return filter.Taps() * filter.PlaneWords();
}

// tap_bits: int32 [taps + 1][planes][PaddedChannels]: set weight bits of each tap, at last of all.
// words: uint32 [blocks][planes][PatchWords][kBlock channels]; channels beyond the last are clear.
PackedFilter PackBlocks(const Filter&, const std::uint32_t* stored);

Workspace BlocksWorkspace(const Geometry&);

// Runs everything; where the crossover takes this road nothing before it in the list does.
Fit BlocksFit(const Geometry&, const Cpu&);
std::int64_t BlocksUnits(const Geometry&, int stage);

}  // namespace tfkit::kbit_conv2d
