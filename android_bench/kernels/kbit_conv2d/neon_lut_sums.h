// The sums of lookups for tiles of pixels.
#pragma once

#include "kernels/kbit_conv2d/neon_lut_layout.h"

namespace tfkit::kbit_conv2d::neon {

// Bytes that SumTile needs for the sums of parts of the steps.
std::size_t PartialBytes(const Filter&, const Lookups&);

// Sums of `units` pixels or pairs from unit x on: int32 [terms][Vectors][units][kLanes], times
// Multiplier(); of the second pixels of pairs in `second`. `rows` of tables: of each filter row and
// one more, whatever row that is.
void SumTile(const Call&, const Lookups&, const TableRows&, const std::uint8_t* const* rows, int x,
             int units, std::uint8_t* partial, std::int32_t* first, std::int32_t* second);

}  // namespace tfkit::kbit_conv2d::neon
