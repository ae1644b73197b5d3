// What a binary convolution is computed from: filter, geometry.
#pragma once

#include <cstdint>

#include "kernels/bits.h"
#include "kernels/inlining.h"
#include "kernels/window.h"

namespace tfkit::bconv2d {

// Bitpacked filter [channels_out, height, width, words_per_group].
struct Filter {
  int channels_in = 0;
  int channels_out = 0;
  int groups = 1;
  int height = 0;
  int width = 0;

  TFKIT_ALWAYS_INLINE int Taps() const { return height * width; }
  TFKIT_ALWAYS_INLINE int ChannelsPerGroup() const { return channels_in / groups; }
  TFKIT_ALWAYS_INLINE int WordsPerGroup() const {
    return static_cast<int>(PackedWords(ChannelsPerGroup()));
  }
  TFKIT_ALWAYS_INLINE int OutputsPerGroup() const { return channels_out / groups; }
  // Products summed in one output: the result lies in [-Depth(), Depth()].
  TFKIT_ALWAYS_INLINE int Depth() const { return Taps() * ChannelsPerGroup(); }
  // The most bits that one output's popcounts can add up to. The filter alone bounds it, not the
  // image: taps x channels of one group, unused bits of an untrusted input counted too.
  TFKIT_ALWAYS_INLINE std::int64_t MaxCount() const {
    return std::int64_t{Taps()} * WordsPerGroup() * kWordBits;
  }
  // Whether an unsigned 16-bit accumulator holds every count.
  TFKIT_ALWAYS_INLINE bool CountsFit16Bits() const { return MaxCount() <= 0xffff; }
};

struct Geometry {
  Filter filter;
  int batch = 0;
  WindowAxis y;
  WindowAxis x;
  // Pixels outside the image count as 0 when set, as +1 otherwise.
  bool zero_padding = false;

  TFKIT_ALWAYS_INLINE int InputWords() const { return filter.groups * filter.WordsPerGroup(); }
  TFKIT_ALWAYS_INLINE std::int64_t OutputRows() const { return std::int64_t{batch} * y.output; }
};

}  // namespace tfkit::bconv2d
