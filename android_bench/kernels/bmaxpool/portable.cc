// Whole pixels at a time: the innermost loop runs over contiguous words.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/bmaxpool/kernel.h"

namespace tfkit::bmaxpool {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void Run(const Shape& shape, const std::uint32_t* input, std::uint32_t* output, std::int64_t begin,
         std::int64_t end) {
  const std::size_t words = shape.words;
  const std::size_t row_words = shape.x.input * words;
  const std::size_t image_words = shape.y.input * row_words;
  output += begin * shape.x.output * words;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::uint32_t* image = input + row / shape.y.output * image_words;
    const int oy = static_cast<int>(row % shape.y.output);
    const int y0 = std::max(0, shape.y.Pixel(oy, 0));
    const int y1 = std::min(shape.y.input, shape.y.Pixel(oy, shape.y.filter));
    for (int ox = 0; ox < shape.x.output; ++ox, output += words) {
      const int x0 = std::max(0, shape.x.Pixel(ox, 0));
      const int x1 = std::min(shape.x.input, shape.x.Pixel(ox, shape.x.filter));
      std::memset(output, 0xff, words * sizeof *output);
      for (int y = y0; y < y1; ++y) {
        const std::uint32_t* pixel = image + y * row_words + x0 * words;
        for (int x = x0; x < x1; ++x, pixel += words) {
          for (std::size_t w = 0; w < words; ++w) output[w] &= pixel[w];
        }
      }
    }
  }
}

}  // namespace

const Kernel kernels::portable = {"portable", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::bmaxpool
