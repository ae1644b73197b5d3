// What a binary convolution is computed from: filter, geometry.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/window.h"

namespace tfkit::bconv2d {

// Bitpacked filter [channels_out, height, width, words_per_group].
struct Filter {
  int channels_in = 0;
  int channels_out = 0;
  int groups = 1;
  int height = 0;
  int width = 0;

  int Taps() const { return height * width; }
  int ChannelsPerGroup() const { return channels_in / groups; }
  int WordsPerGroup() const { return static_cast<int>(PackedWords(ChannelsPerGroup())); }
  int OutputsPerGroup() const { return channels_out / groups; }
  // Products summed in one output: the result lies in [-Depth(), Depth()].
  int Depth() const { return Taps() * ChannelsPerGroup(); }
};

struct Geometry {
  Filter filter;
  int batch = 0;
  WindowAxis y;
  WindowAxis x;
  // Pixels outside the image count as 0 when set, as +1 otherwise.
  bool zero_padding = false;

  int InputWords() const { return filter.groups * filter.WordsPerGroup(); }
};

}  // namespace tfkit::bconv2d
