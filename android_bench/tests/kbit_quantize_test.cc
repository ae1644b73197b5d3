// Floats to bit planes: every kernel against levels counted one by one.
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "kernels/kbit_quantize/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::ForEachKernel;
using testing::Guarded;
using testing::Random;
using testing::SameBits;

TEST(KBitQuantize, LevelsAndSpecialValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int planes = 1; planes <= 4; ++planes) {
    for (int channels : {1, 16, 31, 32, 33, 47, 64, 100}) {
      Random random(100 * planes + channels);
      const int thresholds = (1 << planes) - 1;
      std::vector<float> steps;
      std::vector<std::uint8_t> bits;
      for (int t = 0; t < thresholds; ++t) steps.push_back(t * 0.25f);
      for (int t = 0; t <= thresholds; ++t) bits.push_back(static_cast<std::uint8_t>(t ^ (t / 2)));
      const float specials[] = {0.0f, -0.0f, infinity, -infinity, nan, 0.25f, 0.24999999f, 1e-45f};
      const std::size_t rows = 3;
      std::vector<float> input(rows * channels);
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] = i % 3 == 0 ? specials[random.Integer(0, 7)] : random.Float(-1, 5);
      }
      const kbit_quantize::Shape shape = {rows, channels, planes};
      const kbit_quantize::Levels levels = {thresholds, steps.data(), bits.data()};
      std::vector<std::uint32_t> expected(rows * shape.RowWords());
      for (std::size_t i = 0; i < input.size(); ++i) {
        const std::size_t c = i % channels;
        int level = 0;
        while (level < thresholds && input[i] >= steps[level]) ++level;
        for (int j = 0; j < planes; ++j) {
          expected[i / channels * shape.RowWords() + j * PackedWords(channels) + c / 32] |=
              (bits[level] >> j & 1u) << (c % 32);
        }
      }
      ForEachKernel("kbit_quantize", kbit_quantize::Kernels(), shape, kbit_quantize::Select,
                    [&](const kbit_quantize::Kernel& kernel) {
                      Guarded<std::uint32_t> words(expected.size());
                      kernel.run(shape, levels, input.data(), words.data(), 1, rows);
                      kernel.run(shape, levels, input.data(), words.data(), 0, 1);
                      EXPECT_TRUE(SameBits(expected, words.Take(), {3, int(shape.RowWords())}));
                    });
    }
  }
}

}  // namespace
}  // namespace tfkit
