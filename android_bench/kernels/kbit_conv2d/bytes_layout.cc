#include "kernels/kbit_conv2d/bytes_layout.h"

#include <algorithm>

namespace tfkit::kbit_conv2d {

bool BytesCan(const Geometry& geometry) {
  return !geometry.filter.bases &&
         PaddedFit(geometry, BytesPixelBytes(geometry.filter)) == Fit::kSuits;
}

PackedFilter PackBytes(const Filter& filter, const std::uint32_t* stored) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::size_t pixel = BytesPixelBytes(filter);
  PackedFilter packed;
  packed.words = Buffer(filter.Taps() * pixel * padded / sizeof(std::uint64_t));
  packed.tap_bits = PackFilterSums(filter, stored);
  auto* bytes = reinterpret_cast<std::uint8_t*>(packed.words.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < filter.weights.planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      const std::size_t first = channel / kTileChannels * kTileChannels;
      const std::size_t lanes = std::min<std::size_t>(kTileChannels, padded - first);
      std::uint8_t* out = bytes + first * filter.Taps() * pixel + (channel - first) * kByteChannels;
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          const unsigned bit = stored[at / kWordBits] >> (at % kWordBits) & 1u;
          const std::size_t group = std::size_t(tap) * ByteGroups(filter) + c / kByteChannels;
          out[group * lanes * kByteChannels + c % kByteChannels] |= bit << plane;
        }
      }
    }
  }
  return packed;
}

Workspace BytesWorkspace(const Geometry& geometry) {
  return PaddedWorkspace(geometry, BytesPixelBytes(geometry.filter));
}

}  // namespace tfkit::kbit_conv2d
