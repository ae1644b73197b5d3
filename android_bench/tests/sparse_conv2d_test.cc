// The kernels against plain loops over images, in double words: which weight meets which pixel is
// stated here once more, and a sum of fused multiply-adds in rising order has one result.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/sparse_conv2d/run.h"
#include "kernels/sparse_conv2d/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using sparse_conv2d::Clamp;
using sparse_conv2d::Compress;
using sparse_conv2d::Filter;
using sparse_conv2d::Geometry;
using sparse_conv2d::Kernel;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Random;
using testing::SameBits;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
  int batch, height, width, channels, outputs, kernel_y, kernel_x, stride, dilation;
  Padding padding;
  double zeros;
  Clamp clamp{-kInfinity, kInfinity};
};

std::vector<float> Numbers(Random& random, std::size_t count, double zeros) {
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = random.Float(0, 1) < zeros ? 0.0f : random.Float(-1, 1);
  }
  return numbers;
}

Geometry GeometryOf(const Case& c) {
  Geometry geometry;
  geometry.batch = c.batch;
  geometry.y = *PlaceWindows(c.height, c.kernel_y, c.stride, c.dilation, c.padding);
  geometry.x = *PlaceWindows(c.width, c.kernel_x, c.stride, c.dilation, c.padding);
  geometry.channels = c.channels;
  return geometry;
}

std::vector<float> Expected(const Case& c, const Geometry& g, const std::vector<float>& image,
                            const std::vector<float>& weights, const std::vector<float>& bias) {
  std::vector<float> output;
  for (int b = 0; b < c.batch; ++b) {
    for (int y = 0; y < g.y.output; ++y) {
      for (int x = 0; x < g.x.output; ++x) {
        for (int o = 0; o < c.outputs; ++o) {
          float sum = bias[o];
          const float* w = &weights[std::size_t(o) * c.kernel_y * c.kernel_x * c.channels];
          for (int ky = 0; ky < c.kernel_y; ++ky) {
            for (int kx = 0; kx < c.kernel_x; ++kx) {
              const int row = y * c.stride - g.y.pad_before + ky * c.dilation;
              const int column = x * c.stride - g.x.pad_before + kx * c.dilation;
              const bool inside = row >= 0 && row < c.height && column >= 0 && column < c.width;
              for (int i = 0; i < c.channels; ++i, ++w) {
                if (*w == 0.0f) continue;
                const float value =
                    inside ? image[((std::size_t(b) * c.height + row) * c.width + column) *
                                       c.channels +
                                   i]
                           : 0.0f;
                sum = std::fma(*w, value, sum);
              }
            }
          }
          if (sum < c.clamp.low) sum = c.clamp.low;
          if (sum > c.clamp.high) sum = c.clamp.high;
          output.push_back(sum);
        }
      }
    }
  }
  return output;
}

// Outputs [first, first + 4) get the zeros of the first of them.
void MakeBlocks(std::vector<float>& weights, std::size_t depth, std::size_t first) {
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t o = first; o < first + sparse_conv2d::kGroup; ++o) {
      float& weight = weights[o * depth + k];
      if (weights[first * depth + k] == 0.0f) {
        weight = 0.0f;
      } else if (weight == 0.0f) {
        weight = 0.5f;
      }
    }
  }
}

// Every `blocks`-th whole group of outputs is one of blocks; none with 0.
void Check(const Case& c, std::uint64_t stream, std::size_t blocks = 0) {
  Random random(stream);
  const Geometry geometry = GeometryOf(c);
  const std::size_t depth = std::size_t(c.kernel_y) * c.kernel_x * c.channels;
  const auto image = Numbers(random, std::size_t(c.batch) * c.height * c.width * c.channels, 0.1);
  auto weights = Numbers(random, c.outputs * depth, c.zeros);
  const std::size_t groups = c.outputs / sparse_conv2d::kGroup;
  for (std::size_t group = 0; blocks != 0 && group < groups; group += blocks) {
    MakeBlocks(weights, depth, group * sparse_conv2d::kGroup);
  }
  const auto bias = Numbers(random, c.outputs, 0.2);
  const auto expected = Expected(c, geometry, image, weights, bias);
  const Filter filter = Compress(weights.data(), c.outputs, depth);
  if (blocks == 1 && groups >= 4 && c.zeros < 1) {
    EXPECT_FALSE(filter.blocks.empty());
  }
  const sparse_conv2d::Shape shape = ShapeOf(filter, geometry.Pixels());
  ForEachKernel(
      "sparse_conv2d", sparse_conv2d::Kernels(), shape, sparse_conv2d::Select,
      [&](const Kernel& kernel) {
        Guarded<float> output(expected.size());
        Buffer own(OwnWords(kernel, geometry), Buffer::Content::kAnything);
        const std::int64_t units = Units(kernel, geometry);
        // In two calls, the later tiles first.
        const std::int64_t half = units / 2;
        for (const auto& [begin, end] : {std::pair{half, units}, {std::int64_t{0}, half}}) {
          Run(kernel, geometry, {filter, bias.data(), c.clamp}, image.data(), output.data(), begin,
              end, own.data());
        }
        EXPECT_TRUE(SameBits(expected, output.Take(),
                             {c.batch, geometry.y.output, geometry.x.output, c.outputs}));
      });
}

// Around every vector and tile.
TEST(SparseConv2d, AnyNumberOfPixels) {
  for (int width : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 130}) {
    SCOPED_TRACE(width);
    Check({1, 1, width, 19, 9, 1, 1, 1, 1, Padding::kValid, 0.8}, width);
  }
}

TEST(SparseConv2d, AnyNumberOfChannels) {
  for (int channels : {1, 2, 3, 4, 5, 8, 13, 67}) {
    for (int outputs : {1, 2, 3, 4, 5, 7, 8, 21}) {
      SCOPED_TRACE(std::to_string(channels) + " to " + std::to_string(outputs));
      Check({1, 3, 11, channels, outputs, 1, 1, 1, 1, Padding::kValid, 0.7},
            channels * 100 + outputs);
    }
  }
}

TEST(SparseConv2d, AnyWindow) {
  Check({2, 9, 7, 5, 6, 3, 3, 1, 1, Padding::kSame, 0.8}, 1);
  Check({1, 9, 8, 5, 6, 3, 3, 2, 1, Padding::kSame, 0.8}, 2);
  Check({3, 10, 12, 4, 5, 3, 5, 1, 2, Padding::kSame, 0.9}, 3);
  Check({1, 12, 12, 3, 8, 5, 2, 3, 1, Padding::kValid, 0.6}, 4);
  Check({1, 14, 14, 17, 12, 1, 1, 2, 1, Padding::kSame, 0.9}, 5);
}

TEST(SparseConv2d, AnySparsity) {
  for (double zeros : {0.0, 0.3, 0.95, 1.0}) {
    SCOPED_TRACE(zeros);
    Check({1, 7, 10, 33, 14, 1, 1, 1, 1, Padding::kValid, zeros}, 7);
  }
}

// Groups of blocks between others, all of them, and outputs that make no whole group.
TEST(SparseConv2d, Blocks) {
  for (int width : {1, 3, 4, 8, 13, 16, 31, 48, 64, 65}) {
    for (int outputs : {3, 4, 6, 16, 37}) {
      for (int blocks : {1, 2}) {
        SCOPED_TRACE(std::to_string(width) + " pixels, " + std::to_string(outputs) + " outputs, " +
                     std::to_string(blocks));
        Check({1, 1, width, 19, outputs, 1, 1, 1, 1, Padding::kValid, 0.7, {-1.0f, 1.0f}},
              width * 100 + outputs, blocks);
      }
    }
  }
  Check({2, 9, 7, 5, 8, 3, 3, 2, 1, Padding::kSame, 0.8}, 11, 1);
  Check({1, 7, 10, 33, 16, 1, 1, 1, 1, Padding::kValid, 1.0}, 12, 1);
}

// A single other zero, and the group's outputs are on their own: no zero is ever multiplied.
TEST(SparseConv2d, BlocksHaveNoZeros) {
  const std::size_t depth = 5, outputs = 9;
  std::vector<float> weights(outputs * depth, 0.0f);
  for (std::size_t o = 0; o < outputs; ++o) weights[o * depth + 2] = weights[o * depth + 4] = 1.0f;
  const Filter whole = Compress(weights.data(), outputs, depth);
  EXPECT_EQ(whole.blocks.size(), 4u);
  EXPECT_EQ(whole.entries.size(), 2u);  // of the ninth output
  EXPECT_EQ(whole.nonzeros(), 18u);
  weights[6 * depth + 2] = 0.0f;
  const Filter spoilt = Compress(weights.data(), outputs, depth);
  EXPECT_EQ(spoilt.blocks.size(), 2u);
  EXPECT_EQ(spoilt.entries.size(), 9u);
}

TEST(SparseConv2d, Activations) {
  Check({1, 7, 10, 9, 14, 1, 1, 1, 1, Padding::kValid, 0.5, {0.0f, kInfinity}}, 8);
  Check({1, 7, 10, 9, 14, 1, 1, 1, 1, Padding::kValid, 0.5, {0.0f, 0.25f}}, 9);
  Check({1, 7, 10, 9, 14, 1, 1, 1, 1, Padding::kValid, 0.5, {-1.0f, 1.0f}}, 10);
}

// Zeros are no steps: an infinite pixel under one changes nothing, and -0.0 stays.
TEST(SparseConv2d, SpecialNumbers) {
  const std::vector<float> weights = {0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1};
  const std::vector<float> image = {kInfinity, -1.0f, std::nanf("")};
  const std::vector<float> bias = {-0.0f, -0.0f, -0.0f, 1.0f};
  Geometry geometry;
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(1, 1, 1, 1, Padding::kValid);
  geometry.channels = 3;
  const Filter filter = Compress(weights.data(), 4, 3);
  ForEachKernel("sparse_conv2d", sparse_conv2d::Kernels(), ShapeOf(filter, 1),
                sparse_conv2d::Select, [&](const Kernel& kernel) {
                  std::vector<float> output(4);
                  Buffer own(OwnWords(kernel, geometry));
                  sparse_conv2d::Run(kernel, geometry, {filter, bias.data(), {0.0f, 6.0f}},
                                     image.data(), output.data(), 0, 1, own.data());
                  EXPECT_EQ(output[0], 0.0f);
                  EXPECT_TRUE(std::signbit(output[1])) << output[1];
                  EXPECT_EQ(output[2], 6.0f);
                  EXPECT_TRUE(std::isnan(output[3])) << output[3];
                });
}

TEST(SparseConv2d, OnlyWhereItPays) {
  const auto fastest = [](double zeros) {
    const std::size_t depth = 256, outputs = 256;
    return sparse_conv2d::Select({196, depth, outputs, std::size_t((1 - zeros) * depth * outputs)},
                                 HostCpu(), "")
        .kernel;
  };
  EXPECT_EQ(fastest(0.0), nullptr);
  EXPECT_EQ(fastest(0.5), nullptr);
  const Kernel* kernel = fastest(0.95);
  EXPECT_EQ(kernel == nullptr,
            sparse_conv2d::Fastest(HostCpu()) == &sparse_conv2d::kernels::reference);
  if (kernel) {
    EXPECT_EQ(kernel, sparse_conv2d::Fastest(HostCpu()));
  }
}

// As many weights pay from fewer zeros on where they come in blocks.
TEST(SparseConv2d, BlocksPaySooner) {
  const std::size_t depth = 256, outputs = 256, nonzeros = depth * outputs / 2;
  const sparse_conv2d::Shape strewn{196, depth, outputs, nonzeros, 0};
  const sparse_conv2d::Shape blocks{196, depth, outputs, 0, nonzeros / sparse_conv2d::kGroup};
  EXPECT_EQ(sparse_conv2d::Select(strewn, HostCpu(), "").kernel, nullptr);
  EXPECT_EQ(sparse_conv2d::Select(blocks, HostCpu(), "").kernel == nullptr,
            sparse_conv2d::Fastest(HostCpu()) == &sparse_conv2d::kernels::reference);
}

}  // namespace
}  // namespace tfkit
