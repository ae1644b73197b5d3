#include "kernels/kbit_conv2d/lut_layout.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kMaxLutWeightPlanes = 4;

}  // namespace

bool LutCan(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  return !filter.bases && filter.weights.planes <= kMaxLutWeightPlanes &&
         PaddedFit(geometry, LutPixelBytes(filter)) == Fit::kSuits;
}

PackedFilter PackLut(const Filter& filter, const std::uint32_t* stored, int tables) {
  const int planes = filter.weights.planes;
  const std::size_t block_bytes = LutBlockBytes(filter);
  const std::size_t tap_nibbles = std::size_t(filter.PlaneWords()) * kNibblesPerWord;
  PackedFilter packed;
  packed.words = Buffer(PaddedChannels(filter.channels_out) / kBlock * block_bytes / 8);
  packed.tap_bits = PackFilterSums(filter, stored);
  auto* bytes = reinterpret_cast<std::uint8_t*>(packed.words.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      const int lane = channel % kBlock;
      std::uint8_t* out =
          bytes + channel / kBlock * block_bytes + lane % (kBlock / 2) * 2 + lane / (kBlock / 2);
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          const unsigned bit = stored[at / kWordBits] >> (at % kWordBits) & 1u;
          const std::size_t nibble = tap * tap_nibbles + c / 4;
          const std::size_t group = nibble / tables * planes + plane;
          out[(group * tables + nibble % tables) * kBlock] |= bit << (c % 4);
        }
      }
    }
  }
  return packed;
}

Workspace LutWorkspace(const Geometry& geometry) {
  return PaddedWorkspace(geometry, LutPixelBytes(geometry.filter));
}

}  // namespace tfkit::kbit_conv2d
