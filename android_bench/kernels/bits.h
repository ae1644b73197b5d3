// Bitpacked tensors: the last axis holds channels, 32 to a word, channel c in bit c % 32 of word
// c / 32. A set bit means -1, a clear bit +1; the unused bits of a last word are clear.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"

namespace tfkit {

constexpr int kWordBits = 32;

TFKIT_ALWAYS_INLINE constexpr std::int64_t PackedWords(std::int64_t channels) {
  return (channels + kWordBits - 1) / kWordBits;
}

}  // namespace tfkit
