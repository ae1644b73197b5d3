// The sums of lookups for tiles of pixels.
#pragma once

#include "kernels/bconv2d/neon_lut_layout.h"

namespace tfkit::bconv2d::neon {

// Counts of the two rows: uint16 [vectors of kLanes channels, pixels, kLanes].
struct CountRows {
  std::uint16_t* low;
  std::uint16_t* high;
  std::size_t pitch;  // from one vector of channels to the next
};

// Bytes that SumTile needs for the sums of parts of the lookups.
std::size_t PartialBytes(const Filter&);

// Counts all channels of pixels [x, x + pixels) of a pair of output rows, from the rows of tables
// under them: a pointer for each filter row and one more, whatever row that points to.
void SumTile(const Call&, const Lookups&, const Rows&, const std::uint8_t* const* row_pointers,
             int x, int pixels, std::uint8_t* partial, const CountRows&);

}  // namespace tfkit::bconv2d::neon
