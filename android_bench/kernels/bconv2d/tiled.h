// What kernels with a tile of 4 output channels x 2 output pixels share; they differ in the
// instructions of their innermost loop only.
//
// The words under the windows of two pixels are gathered into two contiguous patches, which then
// meet the whole filter, four channels at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {

constexpr int kTileChannels = 4;
constexpr int kTilePixels = 2;

// differing[p][c] = number of bits in which patch[p] [depth] and channel c of weights
// [depth, kTileChannels] differ.
using Tile = void (*)(const std::uint64_t* const patch[kTilePixels], const std::uint64_t* weights,
                      std::size_t depth, std::int32_t differing[kTilePixels][kTileChannels]);

Fit TiledFit(const Geometry&, const Cpu&);
PackedFilter PackTiles(const Filter&, const std::uint32_t* filter);
Workspace TiledWorkspace(const Geometry&);
// A unit is a tile's pixels with all channels.
std::int64_t TiledUnits(const Geometry&, int stage);
void RunTiled(const Call&, std::int64_t begin, std::int64_t end, std::uint64_t* own, Tile tile);

}  // namespace tfkit::bconv2d
