// The innermost loop in plain C++. Included by one file per instruction set, each of which compiles
// it with its own flags, hence the unnamed namespace: one shared copy would run everywhere what
// only some CPUs can.
#pragma once

#include "kernels/bconv2d/tiled.h"

namespace tfkit::bconv2d {
namespace {

void Tile4x2(const std::uint64_t* const patch[kTilePixels], const std::uint64_t* weights,
             std::size_t depth, std::int32_t differing[kTilePixels][kTileChannels]) {
  std::int32_t sums[kTilePixels][kTileChannels] = {};
  for (std::size_t k = 0; k < depth; ++k, weights += kTileChannels) {
    for (int p = 0; p < kTilePixels; ++p) {
      for (int c = 0; c < kTileChannels; ++c) {
        sums[p][c] += __builtin_popcountll(patch[p][k] ^ weights[c]);
      }
    }
  }
  for (int p = 0; p < kTilePixels; ++p) {
    for (int c = 0; c < kTileChannels; ++c) differing[p][c] = sums[p][c];
  }
}

void RunTile4x2(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  RunTiled(call, begin, end, own, Tile4x2);
}

}  // namespace
}  // namespace tfkit::bconv2d
