// What zero padding changes: a tap outside the image counts its channels once, whatever the filter.
#pragma once

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {

// PackedFilter::zero_tap.
Buffer PackZeroTaps(const Filter&, const std::uint32_t* filter);

bool TouchesPadding(const Geometry&, int oy, int ox);

// Adds to d [channels] what the padded taps of output pixel (oy, ox) add for the channels from
// `channel` on.
void AddZeroTaps(const Call&, int oy, int ox, int channel, int channels, std::int32_t* d);

}  // namespace tfkit::bconv2d
