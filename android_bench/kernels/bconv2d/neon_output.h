// From 16-bit counts to outputs, for the NEON kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/kernel.h"
#include "kernels/bconv2d/neon_transform.h"

namespace tfkit::bconv2d::neon {

// Differing bits of `pixels` consecutive output pixels, number `first` of the tensor onwards:
// uint16 [groups, vectors of kLanes channels, pixels, kLanes]. Readable for 8 pixels whatever
// `pixels` says.
struct Counts {
  const std::uint16_t* data;
  std::size_t first;
  int pixels;         // 1..8
  bool zips = false;  // as Linear::Of
};

int VectorsPerGroup(const Filter&);

// Writes the outputs of these pixels. Zero-padded taps are counted as +1, as the bits have it.
void Store(const Call&, const Counts&);

// With zero padding: writes those of these pixels again whose windows leave the image. `d` holds
// channels_out numbers.
void StoreZeroPadded(const Call&, const Counts&, std::int32_t* d);

}  // namespace tfkit::bconv2d::neon
