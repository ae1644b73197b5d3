#include <gtest/gtest.h>

#include "kernels/dequantize/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using dequantize::Int8Values;
using dequantize::Kernel;
using dequantize::Shape;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Pack;
using testing::Random;
using testing::SameBits;

TEST(Dequantize, UnpacksToFloatAndInt8) {
  for (int rows : {1, 2, 5}) {
    for (int channels : {1, 2, 31, 32, 33, 64, 65, 127, 128, 131}) {
      Random random(rows * 1000 + channels);
      const std::vector<int> signs = random.Signs(std::size_t(rows) * channels);
      const auto words = Pack(signs, channels);
      const std::vector<float> floats(signs.begin(), signs.end());
      std::vector<std::int8_t> codes;
      for (int sign : signs) codes.push_back(sign < 0 ? -7 : 13);
      const Shape shape{std::size_t(rows), std::size_t(channels)};
      ForEachKernel("dequantize", dequantize::Kernels(), shape, dequantize::Select,
                    [&](const Kernel& kernel) {
                      Guarded<float> as_float(signs.size());
                      kernel.to_float(shape, words.data(), as_float.data());
                      EXPECT_TRUE(SameBits(floats, as_float.Take(), {rows, channels}));
                      Guarded<std::int8_t> as_int8(signs.size());
                      kernel.to_int8(shape, words.data(), {13, -7}, as_int8.data());
                      EXPECT_TRUE(SameBits(codes, as_int8.Take(), {rows, channels}));
                    });
    }
  }
}

TEST(Dequantize, Int8CodesOfPlusAndMinusOne) {
  struct Case {
    float scale;
    int zero_point, plus, minus;
  };
  const Case cases[] = {
      {1.0f, 0, 1, -1},         {0.5f, 3, 5, 1},        {0.4f, 0, 3, -3},  // 2.5 rounds away from 0
      {0.01f, 100, 127, 0},     {0.01f, -100, 0, -128}, {3.0f, 5, 5, 5},   // 1/3 rounds to 0
      {1e-30f, 127, 127, -128}, {1e-44f, 0, 127, -128},                    // 1/scale is infinite
  };
  for (const Case& c : cases) {
    const auto values = Int8Values(c.scale, c.zero_point);
    EXPECT_EQ(values.clear, c.plus) << c.scale << " " << c.zero_point;
    EXPECT_EQ(values.set, c.minus) << c.scale << " " << c.zero_point;
  }
}

}  // namespace
}  // namespace tfkit
