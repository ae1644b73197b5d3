#include "kernels/bconv2d/neon_lut_layout.h"

#include <algorithm>

#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d::neon {
namespace {

constexpr std::uint8_t kNothing = 0xff;  // beyond any table: TBL gives 0

}  // namespace

PackedFilter PackLookups(const Filter& filter, const std::uint32_t* source) {
  const Lookups lookups(filter);
  const int words = filter.WordsPerGroup();
  PackedFilter packed;
  packed.words = Buffer((lookups.BlockBytes(filter, lookups.vectors) + 7) / 8);
  packed.zero_tap = PackZeroTaps(filter, source);
  auto* out = reinterpret_cast<std::uint8_t*>(packed.words.data());
  for (int block = 0; block < lookups.vectors; block += kBlockVectors) {
    const int channels = std::min(kBlockVectors, lookups.vectors - block) * kVector;
    for (int fy = 0; fy < filter.height; ++fy) {
      for (int i = 0; i < lookups.triples * kLookups; ++i) {
        const int fx = i / lookups.tables;
        const int table = i % lookups.tables;
        for (int c = block * kVector; c < block * kVector + channels; ++c, ++out) {
          *out = kNothing;
          if (fx >= filter.width || c >= filter.channels_out) continue;
          const std::uint32_t* tap =
              source + (std::size_t(c * filter.height + fy) * filter.width + fx) * words;
          *out = 0;
          for (int j = 0; j < kBits && table * kBits + j < filter.channels_in; ++j) {
            const int bit = table * kBits + j;
            *out |= (tap[bit / kWordBits] >> bit % kWordBits & 1) << j;
          }
        }
      }
    }
  }
  return packed;
}

}  // namespace tfkit::bconv2d::neon
