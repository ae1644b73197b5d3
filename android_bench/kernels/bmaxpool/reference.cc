#include <algorithm>
#include <cstddef>

#include "kernels/bmaxpool/kernel.h"

namespace tfkit::bmaxpool {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void Run(const Shape& shape, const std::uint32_t* input, std::uint32_t* output, std::int64_t begin,
         std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t n = row / shape.y.output;
    const int oy = static_cast<int>(row % shape.y.output);
    for (int ox = 0; ox < shape.x.output; ++ox) {
      // The part of the window that lies in the image. A filter may be far larger than it.
      const int y0 = std::max(0, shape.y.Pixel(oy, 0));
      const int x0 = std::max(0, shape.x.Pixel(ox, 0));
      const int y1 = std::min(shape.y.input, shape.y.Pixel(oy, shape.y.filter));
      const int x1 = std::min(shape.x.input, shape.x.Pixel(ox, shape.x.filter));
      for (int w = 0; w < shape.words; ++w) {
        std::uint32_t all_set = ~std::uint32_t{0};
        for (int y = y0; y < y1; ++y) {
          for (int x = x0; x < x1; ++x) {
            const std::size_t pixel = (n * shape.y.input + y) * shape.x.input + x;
            all_set &= input[pixel * shape.words + w];
          }
        }
        output[(row * shape.x.output + ox) * shape.words + w] = all_set;
      }
    }
  }
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::bmaxpool
