#include "kernels/kbit_conv2d/neon_lut_layout.h"

#include <algorithm>

#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

constexpr std::uint8_t kNothing = 0xff;  // beyond any table: TBL gives 0

}  // namespace

PackedFilter PackLookups(const Filter& filter, const std::uint32_t* stored) {
  const Lookups lookups(filter);
  const int planes = filter.weights.planes;
  PackedFilter packed;
  packed.words = Buffer((planes * lookups.BlockBytes(filter, lookups.vectors) + 7) / 8);
  packed.tap_bits = PackFilterSums(filter, stored);
  auto* out = reinterpret_cast<std::uint8_t*>(packed.words.data());
  const auto bit = [&](int plane, int channel, int tap, int c) {
    const std::int64_t at = (std::int64_t{plane} * filter.channels_out + channel) * filter.Depth() +
                            std::int64_t{tap} * filter.channels_in + c;
    return stored[at / kWordBits] >> (at % kWordBits) & 1u;
  };
  for (int block = 0; block < lookups.vectors; block += kBlockVectors) {
    const int first = block * kVector;
    const int last = std::min(block + kBlockVectors, lookups.vectors) * kVector;
    for (int plane = 0; plane < planes; ++plane) {
      for (int fy = 0; fy < filter.height; ++fy) {
        for (int i = 0; i < lookups.steps * lookups.at_once; ++i) {
          const int fx = i / lookups.tables;
          const int table = i % lookups.tables * kTableChannels;
          const int channels = std::min(kTableChannels, filter.channels_in - table);
          for (int channel = first; channel < last; ++channel, ++out) {
            *out = kNothing;
            if (fx >= filter.width || channel >= filter.channels_out) continue;
            unsigned index = 0;
            for (int c = 0; c < channels; ++c) {
              index |= bit(plane, channel, fy * filter.width + fx, table + c) << c;
            }
            *out = static_cast<std::uint8_t>(index);
          }
        }
      }
    }
  }
  return packed;
}

}  // namespace tfkit::kbit_conv2d::neon
