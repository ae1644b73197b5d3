#include "kernels/kbit_conv2d/serial_layout.h"

#include <algorithm>

namespace tfkit::kbit_conv2d {

PackedFilter PackSerial(const Filter& filter, const std::uint32_t* stored) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::size_t depth = std::size_t(filter.Taps()) * filter.PlaneWords();
  PackedFilter packed;
  packed.words = Buffer((filter.weights.planes * depth * padded + 1) / 2);
  packed.tap_bits = PackFilterSums(filter, stored);
  auto* words = reinterpret_cast<std::uint32_t*>(packed.words.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < filter.weights.planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      const std::size_t first = channel / kTileChannels * kTileChannels;
      const std::size_t lanes = std::min<std::size_t>(kTileChannels, padded - first);
      std::uint32_t* out =
          words + first * filter.weights.planes * depth + plane * depth * lanes + channel - first;
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          const std::uint32_t bit = stored[at / kWordBits] >> (at % kWordBits) & 1u;
          out[(std::size_t(tap) * filter.PlaneWords() + c / kWordBits) * lanes] |=
              bit << (c % kWordBits);
        }
      }
    }
  }
  return packed;
}

Workspace SerialWorkspace(const Geometry& geometry) {
  return PaddedWorkspace(geometry, SerialPixelBytes(geometry.filter));
}

}  // namespace tfkit::kbit_conv2d
