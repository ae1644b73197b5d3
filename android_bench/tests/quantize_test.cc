#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/quantize/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using quantize::Kernel;
using quantize::Shape;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Pack;
using testing::Random;
using testing::SameBits;

// Around the word, the 64-bit word and the 128-bit vector.
const int kChannels[] = {1, 2, 7, 31, 32, 33, 63, 64, 65, 97, 127, 128, 129, 160};
const int kRows[] = {1, 2, 5};

TEST(Quantize, FloatSigns) {
  for (int rows : kRows) {
    for (int channels : kChannels) {
      Random random(rows * 1000 + channels);
      std::vector<float> input(rows * channels);
      std::vector<int> signs(input.size());
      const float specials[] = {0.0f,
                                -0.0f,
                                std::numeric_limits<float>::denorm_min(),
                                -std::numeric_limits<float>::denorm_min(),
                                std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity(),
                                std::nanf("")};
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = i % 3 == 0 ? specials[random.Integer(0, 6)] : random.Float(-1, 1);
        signs[i] = input[i] < 0 ? -1 : 1;
      }
      const Shape shape{std::size_t(rows), std::size_t(channels)};
      const auto expected = Pack(signs, channels);
      ForEachKernel(
          "quantize", quantize::Kernels(), shape, quantize::Select, [&](const Kernel& kernel) {
            Guarded<std::uint32_t> output(expected.size());
            kernel.from_float(shape, input.data(), output.data());
            EXPECT_TRUE(SameBits(expected, output.Take(), {rows, int(expected.size()) / rows}));
          });
    }
  }
}

TEST(Quantize, NegativeZeroIsPlusOne) {
  const float input[] = {-0.0f, 0.0f, -1.0f};
  ForEachKernel("quantize", quantize::Kernels(), Shape{1, 3}, quantize::Select,
                [&](const Kernel& kernel) {
                  std::uint32_t word = 0;
                  kernel.from_float({1, 3}, input, &word);
                  EXPECT_EQ(word, 0b100u);
                });
}

TEST(Quantize, Int8SignsAroundEveryZeroPoint) {
  for (int channels : {1, 31, 33, 64, 129}) {
    for (int zero_point : {-128, -127, -1, 0, 1, 126, 127}) {
      Random random(channels * 1000 + zero_point);
      const int rows = 3;
      std::vector<std::int8_t> input(rows * channels);
      std::vector<int> signs(input.size());
      for (std::size_t i = 0; i < input.size(); ++i) {
        const int near = std::min(127, std::max(-128, zero_point + random.Integer(-1, 1)));
        input[i] = static_cast<std::int8_t>(i % 2 ? near : random.Integer(-128, 127));
        signs[i] = input[i] < zero_point ? -1 : 1;
      }
      const Shape shape{std::size_t(rows), std::size_t(channels)};
      const auto expected = Pack(signs, channels);
      ForEachKernel(
          "quantize", quantize::Kernels(), shape, quantize::Select, [&](const Kernel& kernel) {
            Guarded<std::uint32_t> output(expected.size());
            kernel.from_int8(shape, input.data(), zero_point, output.data());
            EXPECT_TRUE(SameBits(expected, output.Take(), {rows, int(expected.size()) / rows}))
                << "zero point " << zero_point;
          });
    }
  }
}

}  // namespace
}  // namespace tfkit
