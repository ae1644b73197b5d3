// 32 channels at a time: the levels that a value reaches are a prefix of their list, a mask for
// each, and the maximum reaches what any value of the window reaches. Masks of falling channels are
// turned over on the way, which makes a maximum of the minimum.
#include <algorithm>
#include <cstddef>

#include "kernels/kbit_maxpool/kernel.h"

namespace tfkit::kbit_maxpool {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

// The part of a window that lies in the image.
struct Window {
  const std::uint32_t* image;
  int y0, y1, x0, x1;
};

// What to turn over in the planes of a value for all of them to be set where it has a level's bits.
using Inverted = std::uint32_t[kMaxLevels][kMaxPlanes];

template <int kPlanes>
void RunWord(const Shape& shape, const Levels& levels, const Inverted& inverted,
             const Window& window, int w, std::uint32_t* out) {
  const int words = shape.PlaneWords();
  const std::uint32_t falling = levels.falling[w];
  std::uint32_t reached[1 << kPlanes] = {};  // by any value, from level 1 on
  for (int y = window.y0; y < window.y1; ++y) {
    const std::uint32_t* in =
        window.image + (std::size_t(y) * shape.x.input + window.x0) * kPlanes * words + w;
    for (int x = window.x0; x < window.x1; ++x, in += kPlanes * words) {
      std::uint32_t at_least = 0;
      for (int level = levels.count - 1; level > 0; --level) {
        std::uint32_t is = ~std::uint32_t{0};
        for (int j = 0; j < kPlanes; ++j) is &= in[j * words] ^ inverted[level][j];
        at_least |= is;
        reached[level] |= at_least ^ falling;
      }
    }
  }
  const int left = shape.channels - w * kWordBits;
  const std::uint32_t used = left < kWordBits ? (std::uint32_t{1} << left) - 1 : ~std::uint32_t{0};
  for (int j = 0; j < kPlanes; ++j) {
    std::uint32_t bits = ~inverted[0][j];
    for (int level = 1; level < levels.count; ++level) {
      const std::uint32_t changes = inverted[level - 1][j] ^ inverted[level][j];
      bits ^= changes & (reached[level] ^ falling);
    }
    out[j * words] = bits & used;
  }
}

template <int kPlanes>
void RunRows(const Shape& shape, const Levels& levels, const std::uint32_t* input,
             std::uint32_t* output, std::int64_t begin, std::int64_t end) {
  Inverted inverted;
  for (int level = 0; level < levels.count; ++level) {
    for (int j = 0; j < kPlanes; ++j) {
      inverted[level][j] = levels.bits[level] >> j & 1 ? 0 : ~std::uint32_t{0};
    }
  }
  const std::size_t image_words = std::size_t(shape.y.input) * shape.x.input * shape.PixelWords();
  output += begin * shape.x.output * shape.PixelWords();
  for (std::int64_t row = begin; row < end; ++row) {
    const int oy = static_cast<int>(row % shape.y.output);
    Window window;
    window.image = input + row / shape.y.output * image_words;
    window.y0 = std::max(0, shape.y.Pixel(oy, 0));
    window.y1 = std::min(shape.y.input, shape.y.Pixel(oy, shape.y.filter));
    for (int ox = 0; ox < shape.x.output; ++ox, output += shape.PixelWords()) {
      window.x0 = std::max(0, shape.x.Pixel(ox, 0));
      window.x1 = std::min(shape.x.input, shape.x.Pixel(ox, shape.x.filter));
      for (int w = 0; w < shape.PlaneWords(); ++w) {
        RunWord<kPlanes>(shape, levels, inverted, window, w, output + w);
      }
    }
  }
}

void Run(const Shape& shape, const Levels& levels, const std::uint32_t* input,
         std::uint32_t* output, std::int64_t begin, std::int64_t end) {
  using Rows = void (*)(const Shape&, const Levels&, const std::uint32_t*, std::uint32_t*,
                        std::int64_t, std::int64_t);
  constexpr Rows kRows[kMaxPlanes] = {RunRows<1>, RunRows<2>, RunRows<3>, RunRows<4>};
  kRows[shape.planes - 1](shape, levels, input, output, begin, end);
}

}  // namespace

const Kernel kernels::portable = {"portable", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::kbit_maxpool
