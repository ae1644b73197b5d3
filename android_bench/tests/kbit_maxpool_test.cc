#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/kbit_maxpool/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using kbit_maxpool::Kernel;
using kbit_maxpool::Shape;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Random;
using testing::SameBits;

std::vector<std::uint32_t> Pack(const std::vector<int>& levels,
                                const std::vector<std::uint8_t>& bits, int channels, int planes) {
  const int words = (channels + 31) / 32;
  std::vector<std::uint32_t> packed(levels.size() / channels * planes * words);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const int c = static_cast<int>(i % channels);
    for (int j = 0; j < planes; ++j) {
      packed[i / channels * planes * words + j * words + c / 32] |= (bits[levels[i]] >> j & 1u)
                                                                    << (c % 32);
    }
  }
  return packed;
}

// By definition, on levels.
std::vector<int> Pool(const std::vector<int>& levels, int batch, int channels, const WindowAxis& y,
                      const WindowAxis& x, const std::vector<std::uint32_t>& falling) {
  std::vector<int> output;
  for (int n = 0; n < batch; ++n)
    for (int oy = 0; oy < y.output; ++oy)
      for (int ox = 0; ox < x.output; ++ox)
        for (int c = 0; c < channels; ++c) {
          std::vector<int> seen;
          for (int fy = 0; fy < y.filter; ++fy)
            for (int fx = 0; fx < x.filter; ++fx) {
              const int iy = oy * y.stride + fy - y.pad_before;
              const int ix = ox * x.stride + fx - x.pad_before;
              if (iy < 0 || ix < 0 || iy >= y.input || ix >= x.input) continue;
              seen.push_back(levels[((n * y.input + iy) * x.input + ix) * channels + c]);
            }
          const auto [least, most] = std::minmax_element(seen.begin(), seen.end());
          output.push_back(falling[c / 32] >> (c % 32) & 1u ? *least : *most);
        }
  return output;
}

TEST(KBitMaxPool, EqualsTheMaximumOfLevels) {
  int stream = 0;
  for (Padding padding : {Padding::kSame, Padding::kValid})
    for (int filter : {1, 2, 3})
      for (int stride : {1, 2})
        for (int planes : {1, 2, 3, 4})
          for (int channels : {1, 32, 33, 70}) {
            Random random(8000 + ++stream);
            const int batch = 2, height = 7, width = 6;
            const auto y = PlaceWindows(height, filter, stride, 1, padding);
            const auto x = PlaceWindows(width, filter + 1, stride, 1, padding);
            ASSERT_TRUE(y && x);
            // Any order of the bits, and not always all of them.
            std::vector<std::uint8_t> bits(1 << planes);
            std::iota(bits.begin(), bits.end(), std::uint8_t{0});
            for (std::size_t i = bits.size(); i-- > 1;) {
              std::swap(bits[i], bits[random.Integer(0, static_cast<int>(i))]);
            }
            bits.resize(random.Integer(2, static_cast<int>(bits.size())));
            std::vector<std::uint32_t> falling((channels + 31) / 32);
            for (int c = 0; c < channels; ++c) {
              falling[c / 32] |= std::uint32_t(random.Integer(0, 1)) << (c % 32);
            }
            std::vector<int> levels(batch * height * width * channels);
            for (int& level : levels) {
              level = random.Integer(0, static_cast<int>(bits.size()) - 1);
            }
            auto input = Pack(levels, bits, channels, planes);
            const auto expected =
                Pack(Pool(levels, batch, channels, *y, *x, falling), bits, channels, planes);
            const Shape shape{batch, *y, *x, channels, planes};
            const kbit_maxpool::Levels known = {static_cast<int>(bits.size()), bits.data(),
                                                falling.data()};
            ForEachKernel(
                "kbit_maxpool", kbit_maxpool::Kernels(), shape, kbit_maxpool::Select,
                [&](const Kernel& kernel) {
                  Guarded<std::uint32_t> output(expected.size());
                  const std::int64_t half = shape.OutputRows() / 2;
                  kernel.run(shape, known, input.data(), output.data(), half, shape.OutputRows());
                  kernel.run(shape, known, input.data(), output.data(), 0, half);
                  EXPECT_TRUE(SameBits(expected, output.Take(),
                                       {batch, y->output, x->output, shape.PixelWords()}));
                });
          }
}

// Bits that no level has, and bits beyond the last channel: equal from every kernel.
TEST(KBitMaxPool, AnyBitsHaveOneResult) {
  Random random(8500);
  const WindowAxis axis = *PlaceWindows(5, 3, 1, 1, Padding::kSame);
  const Shape shape{1, axis, axis, 40, 3};
  const std::vector<std::uint8_t> bits = {5, 1, 7};
  const std::vector<std::uint32_t> falling = {0xffff0000u, 0x0fu};
  const kbit_maxpool::Levels levels = {3, bits.data(), falling.data()};
  std::vector<std::uint32_t> input(25 * shape.PixelWords());
  for (std::uint32_t& word : input) word = random.Integer(0, 1 << 30) * 7u;
  std::vector<std::uint32_t> expected(input.size());
  kbit_maxpool::kernels::reference.run(shape, levels, input.data(), expected.data(), 0, 5);
  ForEachKernel("kbit_maxpool", kbit_maxpool::Kernels(), shape, kbit_maxpool::Select,
                [&](const Kernel& kernel) {
                  Guarded<std::uint32_t> output(expected.size());
                  kernel.run(shape, levels, input.data(), output.data(), 0, 5);
                  EXPECT_TRUE(SameBits(expected, output.Take(), {5, 5, shape.PixelWords()}));
                });
}

}  // namespace
}  // namespace tfkit
