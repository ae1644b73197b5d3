// Bitpacking as the format defines it, written independently of the kernels.
#pragma once

#include <cstdint>
#include <vector>

namespace tfkit::testing {

// signs [rows, channels] -> words [rows, ceil(channels / 32)]; bit set for -1.
inline std::vector<std::uint32_t> Pack(const std::vector<int>& signs, int channels) {
  const std::size_t rows = signs.size() / channels;
  const int words = (channels + 31) / 32;
  std::vector<std::uint32_t> packed(rows * words);
  for (std::size_t i = 0; i < signs.size(); ++i) {
    const std::size_t row = i / channels;
    const int c = static_cast<int>(i % channels);
    if (signs[i] < 0) packed[row * words + c / 32] |= 1u << (c % 32);
  }
  return packed;
}

}  // namespace tfkit::testing
