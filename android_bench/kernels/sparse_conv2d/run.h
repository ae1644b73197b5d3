// A convolution by any of the kernels, tile by tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

// Independent units of work: tiles of neighbouring pixels, which may be in different rows.
std::int64_t Units(const Kernel&, const Geometry&);

// Words of scratch that each thread needs, aligned to 64 bytes.
std::size_t OwnWords(const Kernel&, const Geometry&);

// Units [begin, end): `input` [batch][y][x][channels] to `output` [batch][y][x][outputs].
void Run(const Kernel&, const Geometry&, const Call&, const float* input, float* output,
         std::int64_t begin, std::int64_t end, std::uint64_t* own);

}  // namespace tfkit::sparse_conv2d
