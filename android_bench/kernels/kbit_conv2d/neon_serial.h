// The bit-serial convolution around the loops of the binary one, which count the bits in which
// words of 8 output channels and up to 8 pixels differ, once for each pair of planes: cost is
// linear in W x A.
#pragma once

#include "kernels/bconv2d/neon_tiled.h"
#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d::neon {

// Whether counts fit 16 bits, and the rows at hand the workspace.
bool SerialCan(const Geometry&);

// As bconv2d::neon::PackTiles, each vector of 8 channels once for each plane.
PackedFilter PackSerial(const Filter&, const std::uint32_t* stored);
Workspace SerialWorkspace(const Geometry&);
void RunSerial(const Call&, const bconv2d::neon::TileFunctions&, std::int64_t begin,
               std::int64_t end, std::uint64_t* own);

}  // namespace tfkit::kbit_conv2d::neon
