#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <ostream>

#include "kernels/bconv2d/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using bconv2d::Activation;
using bconv2d::Geometry;
using bconv2d::Kernel;
using bconv2d::OutputTransform;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Pack;
using testing::Random;
using testing::SameBits;
using testing::Scratch;

struct Case {
  int batch = 1, height = 5, width = 5, channels_in = 32, channels_out = 4, groups = 1;
  int filter_height = 3, filter_width = 3, stride_y = 1, stride_x = 1, dilation_y = 1,
      dilation_x = 1;
  Padding padding = Padding::kSame;
  bool zero_padding = false;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "batch " << c.batch << ", " << c.height << "x" << c.width << "x" << c.channels_in
             << " -> " << c.channels_out << ", groups " << c.groups << ", filter "
             << c.filter_height << "x" << c.filter_width << ", stride " << c.stride_y << "x"
             << c.stride_x << ", dilation " << c.dilation_y << "x" << c.dilation_x << ", "
             << (c.padding == Padding::kValid ? "VALID"
                 : c.zero_padding             ? "SAME with 0"
                                              : "SAME with 1");
}

Geometry GeometryOf(const Case& c) {
  Geometry geometry;
  geometry.filter = {c.channels_in, c.channels_out, c.groups, c.filter_height, c.filter_width};
  geometry.batch = c.batch;
  geometry.y = *PlaceWindows(c.height, c.filter_height, c.stride_y, c.dilation_y, c.padding);
  geometry.x = *PlaceWindows(c.width, c.filter_width, c.stride_x, c.dilation_x, c.padding);
  geometry.zero_padding = c.zero_padding;
  return geometry;
}

// The convolution of +-1 values by its definition, with TensorFlow's rule for SAME, sharing nothing
// with the kernels: images [batch, height, width, channels_in], filters [channels_out,
// filter_height, filter_width, channels_in / groups] -> [batch, out_height, out_width,
// channels_out].
std::vector<int> Convolve(const Case& c, const std::vector<int>& images,
                          const std::vector<int>& filters) {
  const int extent_y = (c.filter_height - 1) * c.dilation_y + 1;
  const int extent_x = (c.filter_width - 1) * c.dilation_x + 1;
  int out_height = (c.height - extent_y + c.stride_y) / c.stride_y;
  int out_width = (c.width - extent_x + c.stride_x) / c.stride_x;
  int top = 0, left = 0;
  if (c.padding == Padding::kSame) {
    out_height = (c.height + c.stride_y - 1) / c.stride_y;
    out_width = (c.width + c.stride_x - 1) / c.stride_x;
    top = std::max(0, (out_height - 1) * c.stride_y + extent_y - c.height) / 2;
    left = std::max(0, (out_width - 1) * c.stride_x + extent_x - c.width) / 2;
  }
  const int depth = c.channels_in / c.groups;
  const int outside = c.zero_padding ? 0 : 1;
  std::vector<int> sums;
  for (int n = 0; n < c.batch; ++n)
    for (int oy = 0; oy < out_height; ++oy)
      for (int ox = 0; ox < out_width; ++ox)
        for (int oc = 0; oc < c.channels_out; ++oc) {
          const int first = oc / (c.channels_out / c.groups) * depth;
          int sum = 0;
          for (int fy = 0; fy < c.filter_height; ++fy)
            for (int fx = 0; fx < c.filter_width; ++fx)
              for (int ic = 0; ic < depth; ++ic) {
                const int y = oy * c.stride_y + fy * c.dilation_y - top;
                const int x = ox * c.stride_x + fx * c.dilation_x - left;
                const bool inside = y >= 0 && x >= 0 && y < c.height && x < c.width;
                const int value =
                    inside ? images[((n * c.height + y) * c.width + x) * c.channels_in + first + ic]
                           : outside;
                sum += value *
                       filters[((oc * c.filter_height + fy) * c.filter_width + fx) * depth + ic];
              }
          sums.push_back(sum);
        }
  return sums;
}

// Runs units a few at a time, the last ones first, as threads might.
template <typename T>
std::vector<T> Output(const Kernel& kernel, const Geometry& geometry,
                      const OutputTransform& transform, const std::vector<std::uint32_t>& filter,
                      const std::vector<std::uint32_t>& input, std::size_t size) {
  const bconv2d::PackedFilter packed = kernel.pack(geometry.filter, filter.data());
  const bconv2d::Workspace words = kernel.workspace(geometry);
  Scratch shared(words.shared);
  Guarded<T> output(size);
  const bconv2d::Call call =
      bconv2d::MakeCall(geometry, transform, packed, input.data(), shared.data(), output.data());
  for (int stage = 0; stage < kernel.stages; ++stage) {
    Scratch own(words.own);
    const std::int64_t units = kernel.units(geometry, stage);
    const std::int64_t step = units / 3 + 1;
    for (std::int64_t begin = (units - 1) / step * step; begin >= 0; begin -= step) {
      kernel.run(call, stage, begin, std::min(units, begin + step), own.data());
    }
    own.Check();
  }
  shared.Check();
  return output.Take();
}

// One case, all kernels, all three outputs: sums against the oracle exactly, then the outputs'
// rounding against double arithmetic, then every kernel against the reference bit for bit.
void Check(const Case& c, std::uint64_t stream) {
  SCOPED_TRACE(::testing::Message() << c << ", stream " << stream << ", seed " << testing::Seed());
  Random random(stream);
  const Geometry geometry = GeometryOf(c);
  const int depth = c.channels_in / c.groups;
  const std::vector<int> images =
      random.Signs(std::size_t(c.batch) * c.height * c.width * c.channels_in);
  const std::vector<int> filters =
      random.Signs(std::size_t(c.channels_out) * c.filter_height * c.filter_width * depth);
  const std::vector<int> sums = Convolve(c, images, filters);
  const std::vector<std::uint32_t> input = Pack(images, c.channels_in);
  const std::vector<std::uint32_t> filter = Pack(filters, depth);
  const std::vector<int> shape = {c.batch, geometry.y.output, geometry.x.output, c.channels_out};
  const int words = (c.channels_out + 31) / 32;
  const std::vector<int> packed_shape = {c.batch, geometry.y.output, geometry.x.output, words};
  const int total = depth * c.filter_height * c.filter_width;

  std::vector<float> multiplier, bias;
  std::vector<std::int32_t> threshold;
  for (int i = 0; i < c.channels_out; ++i) {
    multiplier.push_back(random.Float(-0.5f, 0.5f));
    bias.push_back(random.Float(-3, 3));
    threshold.push_back(total / 2 + random.Integer(-2, 2));
  }
  // Sums below 2^24 are exact in float, so with multiplier 1 and bias 0 the output is the sum.
  const OutputTransform plain =
      bconv2d::FloatOutput(geometry.filter, Activation::kNone, nullptr, nullptr);
  const std::vector<float> exact(sums.begin(), sums.end());

  std::vector<int> signs;  // -1 where the bit must be set: (K - sum) / 2 > threshold
  for (std::size_t i = 0; i < sums.size(); ++i) {
    signs.push_back(total - sums[i] > 2 * threshold[i % c.channels_out] ? -1 : 1);
  }
  const std::vector<std::uint32_t> bits = Pack(signs, c.channels_out);
  const OutputTransform bitpacked = bconv2d::BitpackedOutput(geometry.filter, threshold.data());

  const bconv2d::Kernel& reference = bconv2d::kernels::reference;
  for (Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kReluN1To1, Activation::kRelu6}) {
    const OutputTransform to_float =
        bconv2d::FloatOutput(geometry.filter, activation, multiplier.data(), bias.data());
    const OutputTransform to_int8 =
        bconv2d::Int8Output(geometry.filter, activation, multiplier.data(), bias.data(), 0.25f, -3);
    const auto floats = Output<float>(reference, geometry, to_float, filter, input, sums.size());
    const auto int8s =
        Output<std::int8_t>(reference, geometry, to_int8, filter, input, sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const int channel = static_cast<int>(i % c.channels_out);
      double activated = sums[i];
      if (activation == Activation::kRelu) activated = std::max(activated, 0.0);
      if (activation == Activation::kRelu6) activated = std::clamp(activated, 0.0, 6.0);
      if (activation == Activation::kReluN1To1) activated = std::clamp(activated, -1.0, 1.0);
      const double linear = activated * multiplier[channel] + bias[channel];
      // Three roundings (bias, product, sum), each at most half an ulp of a value below
      // 2 K |m| + |b|; 2^-24 relative each.
      const double bound =
          3 *
          std::ldexp(2 * total * std::fabs(multiplier[channel]) + std::fabs(bias[channel]), -24);
      ASSERT_NEAR(floats[i], linear, bound) << "float at " << testing::Coordinates(i, shape);
      const double unrounded = std::clamp(linear / 0.25 - 3, -128.0, 127.0);
      ASSERT_NEAR(int8s[i], unrounded, 0.5 + bound / 0.25 + std::ldexp(3.0, -24))
          << "int8 at " << testing::Coordinates(i, shape);
    }
    ForEachKernel(
        "bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& kernel) {
          EXPECT_TRUE(SameBits(
              floats, Output<float>(kernel, geometry, to_float, filter, input, sums.size()),
              shape));
          EXPECT_TRUE(SameBits(
              int8s, Output<std::int8_t>(kernel, geometry, to_int8, filter, input, sums.size()),
              shape));
        });
  }
  ForEachKernel(
      "bconv2d", bconv2d::Kernels(), geometry, bconv2d::Select, [&](const Kernel& kernel) {
        EXPECT_TRUE(SameBits(
            exact, Output<float>(kernel, geometry, plain, filter, input, sums.size()), shape));
        // Half steps of the popcount have no bitpacked output: bconv2d_op.cc.
        if (c.zero_padding && depth % 2 != 0) return;
        EXPECT_TRUE(SameBits(
            bits, Output<std::uint32_t>(kernel, geometry, bitpacked, filter, input, bits.size()),
            packed_shape));
      });
}

void CheckAll(const std::vector<Case>& cases) {
  std::uint64_t stream = 0;
  for (const Case& c : cases) {
    Check(c, ++stream);
    if (::testing::Test::HasFailure()) return;
  }
}

// Around the tile (4 channels x 2 pixels), the word and the 64-bit word.
TEST(Bconv2d, ChannelsAroundTheTile) {
  std::vector<Case> cases;
  for (int channels_in : {1, 2, 31, 32, 33, 63, 64, 65, 96, 97}) {
    for (int channels_out : {1, 3, 4, 5, 7, 8, 31, 32, 33}) {
      for (bool zero : {false, true}) {
        Case c;
        c.height = 3;
        c.width = 4;
        c.channels_in = channels_in;
        c.channels_out = channels_out;
        c.zero_padding = zero;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

// Around the widest tiles: 64 channels in a pass, vectors of 16 and 8, blocks of 32.
TEST(Bconv2d, ChannelsAroundTheWidestTile) {
  std::vector<Case> cases;
  for (int channels_out : {15, 16, 17, 47, 48, 49, 63, 64, 65, 79, 97, 127, 128, 131, 193}) {
    for (int channels_in : {32, 67, 160}) {
      Case c;
      c.height = 3;
      c.width = 5;
      c.channels_in = channels_in;
      c.channels_out = channels_out;
      c.zero_padding = channels_out % 2 == 0;
      cases.push_back(c);
    }
  }
  for (int groups : {2, 3}) {
    for (int outputs : {17, 32, 64, 96}) {
      Case c;
      c.groups = groups;
      c.channels_in = groups * 64;
      c.channels_out = groups * outputs;
      c.zero_padding = groups == 2;
      cases.push_back(c);
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, WidthsAroundTheTile) {
  std::vector<Case> cases;
  for (int width : {1, 2, 3, 4, 5, 7, 11}) {
    for (int filter : {1, 2, 3, 5}) {
      for (bool zero : {false, true}) {
        Case c;
        c.batch = 2;
        c.height = 2;
        c.width = width;
        c.filter_height = c.filter_width = filter;
        c.channels_in = 36;
        c.zero_padding = zero;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

// Around the tiles of the NEON kernels: 8 pixels, 64 output channels, steps of 128 bits, and chunks
// of lookups that end inside a row of the filter.
TEST(Bconv2d, ChannelsAndWidthsAroundLargeTiles) {
  std::vector<Case> cases;
  for (int channels_out : {48, 64, 72, 129}) {
    for (int channels_in : {64, 96, 128, 257}) {
      for (int width : {7, 8, 17}) {
        Case c;
        c.height = 3;
        c.width = width;
        c.channels_in = channels_in;
        c.channels_out = channels_out;
        c.zero_padding = channels_in == 96;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, Groups) {
  std::vector<Case> cases;
  for (int groups : {2, 3, 4}) {
    for (int per_group : {32, 64, 96}) {
      for (int outputs : {1, 3, 4, 5}) {
        Case c;
        c.groups = groups;
        c.channels_in = groups * per_group;
        c.channels_out = groups * outputs;
        c.zero_padding = outputs % 2 == 0;
        cases.push_back(c);
      }
    }
  }
  CheckAll(cases);
}

TEST(Bconv2d, RandomGeometry) {
  Random random(4711);
  std::vector<Case> cases;
  while (cases.size() < 150) {
    Case c;
    c.batch = random.Integer(1, 2);
    c.height = random.Integer(1, 9);
    c.width = random.Integer(1, 9);
    c.filter_height = random.Integer(1, 4);
    c.filter_width = random.Integer(1, 4);
    c.stride_y = random.Integer(1, 3);
    c.stride_x = random.Integer(1, 3);
    c.dilation_y = random.Integer(1, 3);
    c.dilation_x = random.Integer(1, 3);
    c.groups = random.Integer(1, 3);
    c.channels_in = c.groups == 1 ? random.Integer(1, 140) : 32 * c.groups * random.Integer(1, 2);
    c.channels_out = c.groups * random.Integer(1, 11);
    const int kind = random.Integer(0, 2);
    c.padding = kind == 2 ? Padding::kValid : Padding::kSame;
    c.zero_padding = kind == 1;
    if (!PlaceWindows(c.height, c.filter_height, c.stride_y, c.dilation_y, c.padding) ||
        !PlaceWindows(c.width, c.filter_width, c.stride_x, c.dilation_x, c.padding)) {
      continue;
    }
    cases.push_back(c);
  }
  CheckAll(cases);
}

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
    Case c;
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
  Case c;
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

}  // namespace
}  // namespace tfkit
