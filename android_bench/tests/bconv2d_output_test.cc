// Sums and roundings of binary convolutions at their limits, and which output a unit writes.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/bconv2d_cases.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using bconv2d::Activation;
using bconv2d::Geometry;
using bconv2d::Kernel;
using bconv2d::OutputTransform;
using testing::Convolution;
using testing::ForEachKernel;
using testing::GeometryOf;
using testing::Output;
using testing::SameBits;

// The bound of 16-bit accumulators comes from the filter, not from the image, and from one group.
TEST(Bconv2d, CountsFit16BitsUpToTheBound) {
  const auto fits = [](int channels_in, int groups, int height, int width) {
    return bconv2d::Filter{channels_in, groups, groups, height, width}.CountsFit16Bits();
  };
  EXPECT_TRUE(fits(65504, 1, 1, 1));
  EXPECT_FALSE(fits(65536, 1, 1, 1));
  EXPECT_FALSE(fits(65505, 1, 1, 1));  // the rest of its last word counts
  EXPECT_TRUE(fits(7264, 1, 3, 3));
  EXPECT_FALSE(fits(7265, 1, 3, 3));
  EXPECT_TRUE(fits(2 * 7264, 2, 3, 3));
  EXPECT_FALSE(fits(2 * 7296, 2, 3, 3));
  EXPECT_TRUE(fits(32, 1, 2047, 1));
  EXPECT_FALSE(fits(32, 1, 2048, 1));
  EXPECT_FALSE(fits(32, 1, 1 << 15, 1 << 10));
}

// Sums on both sides of 16 bits, reached and not only possible: all products are -1, then all +1.
TEST(Bconv2d, AccumulatorsAround16Bits) {
  for (int channels_in : {3616, 3648, 7264, 7296, 8192}) {
    Convolution c;
    c.height = c.width = 3;
    c.channels_in = channels_in;
    c.channels_out = 37;
    c.padding = Padding::kValid;
    const Geometry geometry = GeometryOf(c);
    const int words = 9 * channels_in / 32;
    const OutputTransform plain =
        bconv2d::FloatOutput(geometry.filter, Activation::kNone, nullptr, nullptr);
    const std::vector<std::uint32_t> input(words, 0xffffffff);
    for (int sign : {-1, 1}) {
      const std::vector<std::uint32_t> filter(37 * words, sign < 0 ? 0 : 0xffffffff);
      const std::vector<float> expected(37, sign * 9.0f * channels_in);
      ForEachKernel(
          "bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& kernel) {
            EXPECT_TRUE(SameBits(expected,
                                 Output<float>(kernel, geometry, plain, filter, input, 37), {37}));
          });
    }
  }
}

// A 1x1 convolution of one channel gives the sum itself, so every rounding case can be written
// down.
TEST(Bconv2d, Int8RoundsHalfAwayFromZeroAndSaturates) {
  Convolution c;
  c.height = c.width = c.filter_height = c.filter_width = 1;
  c.channels_in = 1;
  c.channels_out = 8;
  const Geometry geometry = GeometryOf(c);
  const float multiplier[] = {0.5f, 0.5f, 1.5f, -2.5f, 200.0f, -200.0f, 1e30f, std::nanf("")};
  const float bias[] = {0.0f, -1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  const std::vector<std::int8_t> expected = {1, -1, 2, -3, 127, -128, 127, -128};
  const OutputTransform transform =
      bconv2d::Int8Output(geometry.filter, Activation::kNone, multiplier, bias, 1.0f, 0);
  const std::vector<std::uint32_t> input = {0};
  const std::vector<std::uint32_t> filter(8, 0);
  ForEachKernel(
      "bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& kernel) {
        EXPECT_TRUE(SameBits(
            expected, Output<std::int8_t>(kernel, geometry, transform, filter, input, 8), {8}));
      });
}

// Where there are as many units as rows, a unit runs without any other row: its caller keeps a few
// rows only.
TEST(Bconv2d, AUnitIsARowWhereThereAreAsMany) {
  Convolution c;
  c.batch = 2;
  c.height = 6;
  c.width = 7;
  c.channels_in = 70;
  c.channels_out = 75;
  const Geometry geometry = GeometryOf(c);
  testing::Random random(17);
  std::vector<std::uint32_t> input(c.batch * c.height * c.width * 3);
  std::vector<std::uint32_t> filter(std::size_t(c.channels_out) * 9 * 3);
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i] = static_cast<std::uint32_t>(random.Integer(0, i % 3 == 2 ? 63 : 1 << 30));
  }
  for (std::size_t i = 0; i < filter.size(); ++i) {
    filter[i] = static_cast<std::uint32_t>(random.Integer(0, i % 3 == 2 ? 63 : 1 << 30));
  }
  const OutputTransform plain =
      bconv2d::FloatOutput(geometry.filter, Activation::kNone, nullptr, nullptr);
  const int row_size = c.width * c.channels_out;
  const int rows = c.batch * c.height;
  int by_rows = 0;
  ForEachKernel(
      "bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& kernel) {
        const int last = kernel.stages - 1;
        if (kernel.units(geometry, last) != rows) return;
        ++by_rows;
        const auto whole = Output<float>(kernel, geometry, plain, filter, input, rows * row_size);
        const bconv2d::PackedFilter packed = kernel.pack(geometry.filter, filter.data());
        const bconv2d::Workspace words = kernel.workspace(geometry);
        testing::Scratch shared(words.shared);
        testing::Scratch own(words.own);
        for (int row = 0; row < rows; ++row) {
          testing::Guarded<float> output(row_size);
          const auto start = reinterpret_cast<std::uintptr_t>(output.data()) -
                             std::size_t(row) * row_size * sizeof(float);
          const bconv2d::Call call =
              bconv2d::MakeCall(geometry, plain, packed, input.data(), shared.data(),
                                reinterpret_cast<float*>(start));
          for (int stage = 0; stage < last; ++stage) {
            kernel.run(call, stage, 0, kernel.units(geometry, stage), own.data());
          }
          kernel.run(call, last, row, row + 1, own.data());
          const std::vector<float> expected(whole.begin() + row * row_size,
                                            whole.begin() + (row + 1) * row_size);
          EXPECT_TRUE(SameBits(expected, output.Take(), {c.width, c.channels_out})) << row;
        }
      });
  EXPECT_GT(by_rows, 0);
}

}  // namespace
}  // namespace tfkit
