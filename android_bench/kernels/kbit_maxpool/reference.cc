// The definition, channel by channel.
#include <algorithm>
#include <cstddef>

#include "kernels/kbit_maxpool/kernel.h"

namespace tfkit::kbit_maxpool {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

int LevelOf(const Levels& levels, unsigned bits) {
  for (int level = 0; level < levels.count; ++level) {
    if (levels.bits[level] == bits) return level;
  }
  return 0;
}

unsigned BitsAt(const Shape& shape, const std::uint32_t* pixel, int channel) {
  unsigned bits = 0;
  for (int plane = 0; plane < shape.planes; ++plane) {
    const std::uint32_t word = pixel[plane * shape.PlaneWords() + channel / kWordBits];
    bits |= (word >> (channel % kWordBits) & 1u) << plane;
  }
  return bits;
}

void Run(const Shape& shape, const Levels& levels, const std::uint32_t* input,
         std::uint32_t* output, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t n = row / shape.y.output;
    const int oy = static_cast<int>(row % shape.y.output);
    for (int ox = 0; ox < shape.x.output; ++ox) {
      // The part of the window that lies in the image. A filter may be far larger than it.
      const int y0 = std::max(0, shape.y.Pixel(oy, 0));
      const int x0 = std::max(0, shape.x.Pixel(ox, 0));
      const int y1 = std::min(shape.y.input, shape.y.Pixel(oy, shape.y.filter));
      const int x1 = std::min(shape.x.input, shape.x.Pixel(ox, shape.x.filter));
      std::uint32_t* out = output + (row * shape.x.output + ox) * shape.PixelWords();
      for (int w = 0; w < shape.PixelWords(); ++w) out[w] = 0;
      for (int c = 0; c < shape.channels; ++c) {
        const bool falls = levels.falling[c / kWordBits] >> (c % kWordBits) & 1u;
        int best = falls ? levels.count : -1;
        for (int y = y0; y < y1; ++y) {
          for (int x = x0; x < x1; ++x) {
            const std::size_t pixel = (n * shape.y.input + y) * shape.x.input + x;
            const int level = LevelOf(levels, BitsAt(shape, input + pixel * shape.PixelWords(), c));
            best = falls ? std::min(best, level) : std::max(best, level);
          }
        }
        for (int plane = 0; plane < shape.planes; ++plane) {
          const std::uint32_t bit = levels.bits[best] >> plane & 1u;
          out[plane * shape.PlaneWords() + c / kWordBits] |= bit << (c % kWordBits);
        }
      }
    }
  }
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::kbit_maxpool
