#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/add/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using add::Kernel;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Random;
using testing::SameBits;

// Around the vector of 8, with every kind of number.
TEST(Add, SumsOfAnyLength) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float specials[] = {0.0f, -0.0f, 1e38f, 3e38f, -3e38f, 1e-45f, infinity, -infinity};
  for (int size : {1, 2, 7, 8, 9, 15, 16, 17, 31, 64, 100}) {
    Random random(size);
    std::vector<float> a(size), b(size), expected(size);
    for (int i = 0; i < size; ++i) {
      a[i] = i % 3 == 0 ? specials[random.Integer(0, 7)] : random.Float(-2, 2);
      b[i] = i % 4 == 0 ? specials[random.Integer(0, 5)] : random.Float(-2, 2);
      expected[i] = a[i] + b[i];
    }
    const add::Shape shape{std::size_t(size)};
    ForEachKernel("add", add::Kernels(), shape, add::Select, [&](const Kernel& kernel) {
      Guarded<float> sums(size);
      kernel.floats(shape, a.data(), b.data(), sums.data());
      EXPECT_TRUE(SameBits(expected, sums.Take(), {size}));
    });
  }
}

TEST(Add, SumsMayTakeThePlaceOfEither) {
  const std::vector<float> expected(19, 3.0f);
  ForEachKernel("add", add::Kernels(), add::Shape{19}, add::Select, [&](const Kernel& kernel) {
    std::vector<float> a(19, 1.0f), b(19, 2.0f);
    kernel.floats({19}, a.data(), b.data(), b.data());
    EXPECT_EQ(b, expected);
    b.assign(19, 2.0f);
    kernel.floats({19}, a.data(), b.data(), a.data());
    EXPECT_EQ(a, expected);
  });
}

}  // namespace
}  // namespace tfkit
