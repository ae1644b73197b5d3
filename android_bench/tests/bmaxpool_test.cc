#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/bmaxpool/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using bmaxpool::Kernel;
using bmaxpool::Shape;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Pack;
using testing::Random;
using testing::SameBits;

// Maximum of +-1 values, by definition.
std::vector<int> MaxPool(const std::vector<int>& signs, int batch, int channels,
                         const WindowAxis& y, const WindowAxis& x) {
  std::vector<int> output;
  for (int n = 0; n < batch; ++n)
    for (int oy = 0; oy < y.output; ++oy)
      for (int ox = 0; ox < x.output; ++ox)
        for (int c = 0; c < channels; ++c) {
          int maximum = -1;
          for (int fy = 0; fy < y.filter; ++fy)
            for (int fx = 0; fx < x.filter; ++fx) {
              const int iy = oy * y.stride + fy - y.pad_before;
              const int ix = ox * x.stride + fx - x.pad_before;
              if (iy < 0 || ix < 0 || iy >= y.input || ix >= x.input) continue;
              maximum =
                  std::max(maximum, signs[((n * y.input + iy) * x.input + ix) * channels + c]);
            }
          output.push_back(maximum);
        }
  return output;
}

// The last rows first, as threads might.
void RunInParts(const Kernel& kernel, const Shape& shape, const std::vector<std::uint32_t>& input,
                std::uint32_t* output) {
  const std::int64_t half = shape.OutputRows() / 2;
  kernel.run(shape, input.data(), output, half, shape.OutputRows());
  kernel.run(shape, input.data(), output, 0, half);
}

TEST(BMaxPool, EqualsTheMaximumOfSigns) {
  int stream = 0;
  for (Padding padding : {Padding::kSame, Padding::kValid})
    for (int filter_height : {1, 2, 3})
      for (int filter_width : {1, 2, 5})
        for (int stride : {1, 2, 3})
          for (int channels : {1, 32, 33, 70}) {
            const int batch = 2, height = 7, width = 6;
            const auto y = PlaceWindows(height, filter_height, stride, 1, padding);
            const auto x = PlaceWindows(width, filter_width, stride, 1, padding);
            ASSERT_TRUE(y && x);
            Random random(++stream);
            std::vector<int> signs = random.Signs(batch * height * width * channels);
            // Fair bits would make nearly every maximum +1.
            for (int& sign : signs) sign = random.Integer(0, 3) == 0 ? sign : -1;
            const auto input = Pack(signs, channels);
            const auto expected = Pack(MaxPool(signs, batch, channels, *y, *x), channels);
            const Shape shape{batch, *y, *x, (channels + 31) / 32};
            ForEachKernel("bmaxpool", bmaxpool::Kernels(), shape, bmaxpool::Select,
                          [&](const Kernel& kernel) {
                            Guarded<std::uint32_t> output(expected.size());
                            RunInParts(kernel, shape, input, output.data());
                            EXPECT_TRUE(SameBits(expected, output.Take(),
                                                 {batch, y->output, x->output, shape.words}));
                          });
          }
}

TEST(BMaxPool, FilterFarLargerThanTheImage) {
  const WindowAxis axis = *PlaceWindows(3, 1 << 29, 1, 1, Padding::kSame);
  const Shape shape{1, axis, axis, 1};
  std::vector<std::uint32_t> input(9, 0xffffffff);
  input[4] = 0xfffffffe;
  const std::vector<std::uint32_t> expected(9, 0xfffffffe);
  ForEachKernel("bmaxpool", bmaxpool::Kernels(), shape, bmaxpool::Select,
                [&](const Kernel& kernel) {
                  Guarded<std::uint32_t> output(9);
                  RunInParts(kernel, shape, input, output.data());
                  EXPECT_TRUE(SameBits(expected, output.Take(), {3, 3, 1}));
                });
}

}  // namespace
}  // namespace tfkit
