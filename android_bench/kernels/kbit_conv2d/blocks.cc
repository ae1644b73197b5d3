#include "kernels/kbit_conv2d/blocks.h"

namespace tfkit::kbit_conv2d {

PackedFilter PackBlocks(const Filter& filter, const std::uint32_t* stored) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const int planes = filter.weights.planes;
  const int depth = PatchWords(filter);
  PackedFilter packed;
  packed.words = Buffer((padded * planes * depth + 1) / 2);
  packed.tap_bits = Buffer(((std::size_t(filter.Taps()) + 1) * planes * padded + 1) / 2);
  auto* words = reinterpret_cast<std::uint32_t*>(packed.words.data());
  auto* tap_bits = reinterpret_cast<std::int32_t*>(packed.tap_bits.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      std::uint32_t* out = words +
                           ((std::size_t(channel) / kBlock * planes + plane) * depth) * kBlock +
                           channel % kBlock;
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          const std::uint32_t bit = stored[at / kWordBits] >> (at % kWordBits) & 1u;
          out[std::size_t(tap * filter.PlaneWords() + c / kWordBits) * kBlock] |=
              bit << (c % kWordBits);
          tap_bits[(std::size_t(tap) * planes + plane) * padded + channel] += bit;
          tap_bits[(std::size_t(filter.Taps()) * planes + plane) * padded + channel] += bit;
        }
      }
    }
  }
  return packed;
}

Workspace BlocksWorkspace(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const std::size_t patch =
      std::size_t(kTilePixels) * filter.activations.planes * PatchWords(filter);
  const std::size_t taps =
      std::size_t(kTilePixels) * filter.weights.planes * PaddedChannels(filter.channels_out);
  return {0, AlignedWords((patch + 1) / 2) + AlignedWords((taps + 1) / 2)};
}

Fit BlocksFit(const Geometry&, const Cpu&) { return Fit::kSuits; }

std::int64_t BlocksUnits(const Geometry& geometry, int) { return geometry.OutputRows(); }

}  // namespace tfkit::kbit_conv2d
