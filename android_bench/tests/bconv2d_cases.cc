#include "tests/bconv2d_cases.h"

#include <cmath>

#include "tests/coverage.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit::testing {
namespace {

using bconv2d::Activation;
using bconv2d::Geometry;
using bconv2d::Kernel;
using bconv2d::OutputTransform;

// The convolution of +-1 values by its definition, with TensorFlow's rule for SAME, sharing nothing
// with the kernels: images [batch, height, width, channels_in], filters [channels_out,
// filter_height, filter_width, channels_in / groups] -> [batch, out_height, out_width,
// channels_out].
std::vector<int> Convolve(const Convolution& c, const std::vector<int>& images,
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

}  // namespace

std::ostream& operator<<(std::ostream& out, const Convolution& c) {
  return out << "batch " << c.batch << ", " << c.height << "x" << c.width << "x" << c.channels_in
             << " -> " << c.channels_out << ", groups " << c.groups << ", filter "
             << c.filter_height << "x" << c.filter_width << ", stride " << c.stride_y << "x"
             << c.stride_x << ", dilation " << c.dilation_y << "x" << c.dilation_x << ", "
             << (c.padding == Padding::kValid ? "VALID"
                 : c.zero_padding             ? "SAME with 0"
                                              : "SAME with 1");
}

Geometry GeometryOf(const Convolution& c) {
  Geometry geometry;
  geometry.filter = {c.channels_in, c.channels_out, c.groups, c.filter_height, c.filter_width};
  geometry.batch = c.batch;
  geometry.y = *PlaceWindows(c.height, c.filter_height, c.stride_y, c.dilation_y, c.padding);
  geometry.x = *PlaceWindows(c.width, c.filter_width, c.stride_x, c.dilation_x, c.padding);
  geometry.zero_padding = c.zero_padding;
  return geometry;
}

void Check(const Convolution& c, std::uint64_t stream) {
  SCOPED_TRACE(::testing::Message() << c << ", stream " << stream << ", seed " << Seed());
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
      ASSERT_NEAR(floats[i], linear, bound) << "float at " << Coordinates(i, shape);
      const double unrounded = std::clamp(linear / 0.25 - 3, -128.0, 127.0);
      ASSERT_NEAR(int8s[i], unrounded, 0.5 + bound / 0.25 + std::ldexp(3.0, -24))
          << "int8 at " << Coordinates(i, shape);
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

void CheckAll(const std::vector<Convolution>& cases) {
  std::uint64_t stream = 0;
  for (const Convolution& c : cases) {
    Check(c, ++stream);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace tfkit::testing
