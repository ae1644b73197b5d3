// Few-bit convolutions against plain sums, and against the reference bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/kbit_conv2d/select.h"
#include "tests/compare.h"
#include "tests/coverage.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using kbit_conv2d::Filter;
using kbit_conv2d::Geometry;
using kbit_conv2d::PaddedChannels;
using testing::ForEachKernel;
using testing::Guarded;
using testing::Random;
using testing::SameBits;
using testing::Scratch;

struct Case {
  int batch = 1, height = 4, width = 5, channels_in = 24, channels_out = 10;
  int filter_height = 3, filter_width = 3, stride = 1, dilation = 1;
  Padding padding = Padding::kSame;
  kbit_conv2d::Code weights{2, 1, -2};
  kbit_conv2d::Code activations{2, 1, 0};
  bool bases = false;
  int pad_bits = -1;
  bool largest = false;  // all bits set, but a few
};

Geometry GeometryOf(const Case& c) {
  Geometry geometry;
  geometry.filter = {c.channels_in, c.channels_out, c.filter_height, c.filter_width,
                     c.weights,     c.activations,  c.bases};
  geometry.batch = c.batch;
  geometry.y = *PlaceWindows(c.height, c.filter_height, c.stride, c.dilation, c.padding);
  geometry.x = *PlaceWindows(c.width, c.filter_width, c.stride, c.dilation, c.padding);
  geometry.pad_bits = c.pad_bits;
  return geometry;
}

struct Data {
  std::vector<unsigned> weights;  // bits of each weight, [channels_out, height, width, channels_in]
  std::vector<unsigned> inputs;   // [batch, height, width, channels_in]
  std::vector<std::uint32_t> stored;
  std::vector<std::uint32_t> packed;
  std::vector<float> scales, bias;
  std::vector<std::int32_t> threshold, flip;
  std::vector<std::uint8_t> level_bits;
  kbit_conv2d::OutputTransform floats, levels;
};

// Thresholds around what sums are, some of them never reached or always.
void AddLevels(const Filter& filter, Random& random, Data& data) {
  kbit_conv2d::OutputTransform& levels = data.levels;
  const std::size_t padded = PaddedChannels(filter.channels_out);
  levels.type = kbit_conv2d::OutputType::kLevels;
  levels.planes = random.Integer(1, 4);
  levels.thresholds = (1 << levels.planes) - random.Integer(1, 2);
  data.threshold.assign(levels.thresholds * padded, 0);
  data.flip.assign(padded, 0);
  const int spread = static_cast<int>(std::sqrt(filter.Depth()) * 8) + 1;
  for (int c = 0; c < filter.channels_out; ++c) {
    data.flip[c] = random.Integer(-1, 0);
    std::vector<std::int32_t> rising;
    for (int t = 0; t < levels.thresholds; ++t) rising.push_back(random.Integer(-spread, spread));
    std::sort(rising.begin(), rising.end());
    if (!rising.empty() && random.Integer(0, 4) == 0)
      rising.front() = std::numeric_limits<std::int32_t>::min();
    if (!rising.empty() && random.Integer(0, 4) == 0)
      rising.back() = std::numeric_limits<std::int32_t>::max();
    for (int t = 0; t < levels.thresholds; ++t) data.threshold[t * padded + c] = rising[t];
  }
  for (int t = 0; t <= levels.thresholds; ++t) {
    data.level_bits.push_back(
        static_cast<std::uint8_t>(random.Integer(0, (1 << levels.planes) - 1)));
  }
  levels.threshold = data.threshold.data();
  levels.flip = data.flip.data();
  levels.bits = data.level_bits.data();
}

Data RandomData(const Geometry& geometry, bool largest, std::uint64_t stream) {
  Random random(stream);
  const Filter& filter = geometry.filter;
  Data data;
  data.weights.resize(std::size_t(filter.channels_out) * filter.Depth());
  const auto bits = [&](int planes) -> unsigned {
    const int most = (1 << planes) - 1;
    return largest && random.Integer(0, 15) ? most : random.Integer(0, most);
  };
  for (unsigned& w : data.weights) w = bits(filter.weights.planes);
  data.inputs.resize(std::size_t(geometry.batch) * geometry.y.input * geometry.x.input *
                     filter.channels_in);
  for (unsigned& a : data.inputs) a = bits(filter.activations.planes);
  data.stored.resize(PackedWords(filter.StoredBits()));
  for (std::size_t i = 0; i < data.weights.size(); ++i) {
    for (int plane = 0; plane < filter.weights.planes; ++plane) {
      const std::size_t at = plane * data.weights.size() + i;
      data.stored[at / 32] |= (data.weights[i] >> plane & 1u) << (at % 32);
    }
  }
  data.packed.resize(data.inputs.size() / filter.channels_in * filter.InputWords());
  for (std::size_t i = 0; i < data.inputs.size(); ++i) {
    const std::size_t pixel = i / filter.channels_in;
    const int c = static_cast<int>(i % filter.channels_in);
    for (int plane = 0; plane < filter.activations.planes; ++plane) {
      data.packed[pixel * filter.InputWords() + plane * filter.PlaneWords() + c / 32] |=
          (data.inputs[i] >> plane & 1u) << (c % 32);
    }
  }
  // Bits beyond the last channel may hold anything.
  if (filter.channels_in % 32 != 0) {
    for (std::size_t w = filter.PlaneWords() - 1; w < data.packed.size();
         w += filter.PlaneWords()) {
      data.packed[w] |= ~0u << (filter.channels_in % 32);
    }
  }
  const std::size_t padded = PaddedChannels(filter.channels_out);
  data.scales.assign(filter.Terms() * padded, 0.0f);
  data.bias.assign(padded, 0.0f);
  for (int c = 0; c < filter.channels_out; ++c) {
    data.bias[c] = random.Float(-1, 1);
    for (int t = 0; t < filter.Terms(); ++t) data.scales[t * padded + c] = random.Float(-1, 1);
  }
  data.floats.scales = data.scales.data();
  data.floats.bias = data.bias.data();
  if (!filter.bases) AddLevels(filter, random, data);
  return data;
}

// Elements as words: floats' bits, or levels.
std::vector<std::uint32_t> Output(const kbit_conv2d::Kernel& kernel, const Geometry& geometry,
                                  const Data& data, const kbit_conv2d::OutputTransform& transform) {
  const auto packed = kernel.pack(geometry.filter, data.stored.data());
  const kbit_conv2d::Workspace workspace = kernel.workspace(geometry);
  Scratch shared(workspace.shared);
  Scratch own(workspace.own);
  Guarded<std::uint32_t> output(std::size_t(geometry.OutputRows()) * geometry.x.output *
                                transform.PixelElements(geometry.filter.channels_out));
  const kbit_conv2d::Call call = kbit_conv2d::MakeCall(
      geometry, transform, packed, data.packed.data(), shared.data(), output.data());
  EXPECT_EQ(kernel.units(geometry, kernel.stages - 1), geometry.OutputRows());
  for (int stage = 0; stage < kernel.stages; ++stage) {
    // A few units at a time, the last ones first, as threads might.
    const std::int64_t units = kernel.units(geometry, stage);
    const std::int64_t step = units / 3 + 1;
    for (std::int64_t begin = (units - 1) / step * step; begin >= 0; begin -= step) {
      kernel.run(call, stage, begin, std::min(units, begin + step), own.data());
    }
  }
  shared.Check();
  own.Check();
  return output.Take();
}

// The sums of each output, [outputs][terms], from the values that the bits stand for.
std::vector<std::int64_t> OracleSums(const Case& c, const Geometry& geometry, const Data& data) {
  const Filter& filter = geometry.filter;
  const auto value = [&](const kbit_conv2d::Code& code, unsigned bits, int plane) {
    return std::int64_t{c.bases ? code.OfBit(bits, plane) : code.OfIndex(bits)};
  };
  const int planes_w = c.bases ? filter.weights.planes : 1;
  const int planes_a = c.bases ? filter.activations.planes : 1;
  std::vector<std::int64_t> out;
  for (std::int64_t row = 0; row < geometry.OutputRows(); ++row) {
    for (int ox = 0; ox < geometry.x.output; ++ox) {
      for (int o = 0; o < filter.channels_out; ++o) {
        std::vector<std::int64_t> sums(planes_w * planes_a);
        for (int tap = 0; tap < filter.Taps(); ++tap) {
          const int iy = geometry.y.Pixel(row % geometry.y.output, tap / filter.width);
          const int ix = geometry.x.Pixel(ox, tap % filter.width);
          const bool inside = geometry.y.Inside(iy) && geometry.x.Inside(ix);
          if (!inside && geometry.pad_bits < 0) continue;
          const std::size_t pixel =
              (row / geometry.y.output * geometry.y.input + iy) * geometry.x.input + ix;
          for (int k = 0; k < filter.channels_in; ++k) {
            const unsigned w = data.weights[o * filter.Depth() + tap * filter.channels_in + k];
            const unsigned a = inside ? data.inputs[pixel * filter.channels_in + k]
                                      : static_cast<unsigned>(geometry.pad_bits);
            for (int i = 0; i < planes_w; ++i) {
              for (int j = 0; j < planes_a; ++j) {
                sums[i * planes_a + j] +=
                    value(filter.weights, w, i) * value(filter.activations, a, j);
              }
            }
          }
        }
        out.insert(out.end(), sums.begin(), sums.end());
      }
    }
  }
  return out;
}

// The floats, in double.
void CheckFloats(const Filter& filter, const std::vector<std::int64_t>& sums, const Data& data,
                 const std::vector<std::uint32_t>& words) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const int terms = filter.Terms();
  ASSERT_EQ(sums.size(), words.size() * terms);
  std::vector<double> oracle(words.size());
  double largest = 1;
  for (std::size_t i = 0; i < oracle.size(); ++i) {
    const std::size_t o = i % filter.channels_out;
    oracle[i] = data.bias[o];
    for (int t = 0; t < terms; ++t) {
      oracle[i] += double(data.scales[t * padded + o]) * double(sums[i * terms + t]);
    }
    largest = std::max(largest, std::abs(oracle[i]));
  }
  for (std::size_t i = 0; i < oracle.size(); ++i) {
    float y;
    std::memcpy(&y, &words[i], sizeof y);
    ASSERT_NEAR(oracle[i], y, 1e-4 * largest) << "output " << i;
  }
}

// The levels as words.
std::vector<std::uint32_t> OracleLevels(const Filter& filter, const std::vector<std::int64_t>& sums,
                                        const Data& data) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::size_t plane_words = PackedWords(filter.channels_out);
  const std::size_t pixel_words = data.levels.PixelElements(filter.channels_out);
  std::vector<std::uint32_t> words(sums.size() / filter.channels_out * pixel_words);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t o = i % filter.channels_out;
    const std::int64_t sum = data.flip[o] ? -sums[i] - 1 : sums[i];
    int level = 0;
    while (level < data.levels.thresholds && sum >= data.threshold[level * padded + o]) ++level;
    for (int j = 0; j < data.levels.planes; ++j) {
      words[i / filter.channels_out * pixel_words + j * plane_words + o / 32] |=
          (data.level_bits[level] >> j & 1u) << (o % 32);
    }
  }
  return words;
}

void Check(const Case& c, std::uint64_t stream) {
  SCOPED_TRACE("case " + std::to_string(stream));
  const Geometry geometry = GeometryOf(c);
  const Filter& filter = geometry.filter;
  const Data data = RandomData(geometry, c.largest, stream);
  const std::vector<std::int64_t> sums = OracleSums(c, geometry, data);
  const std::vector<std::uint32_t> floats =
      Output(kbit_conv2d::kernels::reference, geometry, data, data.floats);
  ASSERT_NO_FATAL_FAILURE(CheckFloats(filter, sums, data, floats));
  std::vector<std::uint32_t> levels;
  if (!c.bases) levels = OracleLevels(filter, sums, data);
  const std::vector<int> pixels = {c.batch, geometry.y.output, geometry.x.output};
  std::vector<int> shape = pixels;
  shape.push_back(c.channels_out);
  std::vector<int> level_shape = pixels;
  level_shape.push_back(static_cast<int>(data.levels.PixelElements(c.channels_out)));
  ForEachKernel(
      "kbit_conv2d", kbit_conv2d::Kernels(), geometry, kbit_conv2d::Select,
      [&](const kbit_conv2d::Kernel& kernel) {
        EXPECT_TRUE(SameBits(floats, Output(kernel, geometry, data, data.floats), shape));
        if (c.bases) return;
        EXPECT_TRUE(SameBits(levels, Output(kernel, geometry, data, data.levels), level_shape));
      });
}

// Around the block of 16 channels, the word and the tiles of up to 8 pixels.
TEST(KBitConv2d, ChannelsAndWidthsAroundTheTile) {
  std::uint64_t stream = 0;
  for (int channels_in : {1, 31, 32, 33, 64, 70}) {
    for (int channels_out : {1, 15, 16, 17, 33}) {
      for (int width : {1, 3, 8, 13}) {
        Case c;
        c.height = 3;
        c.width = width;
        c.channels_in = channels_in;
        c.channels_out = channels_out;
        Check(c, ++stream);
        if (HasFailure()) return;
      }
    }
  }
}

// Every width of both, as one integer and as bases, with and without offsets.
TEST(KBitConv2d, PlanesAndNumbers) {
  std::uint64_t stream = 1000;
  for (int w = 1; w <= 4; ++w) {
    for (int a = 1; a <= 4; ++a) {
      for (bool bases : {false, true}) {
        for (int lowest : {0, -1}) {
          Case c;
          c.bases = bases;
          c.weights = {w, 1 - lowest, lowest};
          c.activations = {a, 1 + (w % 2), a % 2 ? lowest : 0};
          c.pad_bits = w == a ? (1 << a) - 1 : -1;
          c.width = 9;
          Check(c, ++stream);
          if (HasFailure()) return;
        }
      }
    }
  }
  Case wide;
  wide.weights = {8, 1, -128};
  Check(wide, ++stream);
}

TEST(KBitConv2d, RandomGeometry) {
  Random random(815);
  for (int number = 0; number < 60;) {
    Case c;
    c.batch = random.Integer(1, 2);
    c.height = random.Integer(1, 8);
    c.width = random.Integer(1, 12);
    c.filter_height = random.Integer(1, 4);
    c.filter_width = random.Integer(1, 4);
    c.stride = random.Integer(1, 3);
    c.dilation = random.Integer(1, 2);
    c.channels_in = random.Integer(1, 70);
    c.channels_out = random.Integer(1, 40);
    c.padding = random.Integer(0, 1) ? Padding::kSame : Padding::kValid;
    c.bases = random.Integer(0, 1);
    c.weights = {random.Integer(1, 3), random.Integer(1, 2), random.Integer(-2, 1)};
    c.activations = {random.Integer(1, 4), random.Integer(1, 2), random.Integer(-2, 1)};
    c.pad_bits = random.Integer(-1, (1 << c.activations.planes) - 1);
    if (!PlaceWindows(c.height, c.filter_height, c.stride, c.dilation, c.padding) ||
        !PlaceWindows(c.width, c.filter_width, c.stride, c.dilation, c.padding)) {
      continue;
    }
    Check(c, 2000 + ++number);
    if (HasFailure()) return;
  }
}

// Prime sizes around the tiles of 64 channels, the registers of tables and the groups of 4 bytes,
// with numbers whose 16-bit sums are full several times within a window.
TEST(KBitConv2d, TilesOfChannelsAndFullSums) {
  std::uint64_t stream = 4000;
  const int shapes[][4] = {{37, 79, 7, 3},  {61, 67, 5, 2},  {131, 23, 11, 3}, {67, 131, 2, 1},
                           {521, 17, 3, 3}, {259, 48, 5, 3}, {5, 64, 17, 5}};
  for (const auto& [channels_in, channels_out, width, filter] : shapes) {
    for (int planes = 1; planes <= 4; ++planes) {
      Case c;
      c.height = channels_in > 100 ? 1 : 2;
      c.width = width;
      c.channels_in = channels_in;
      c.channels_out = channels_out;
      c.filter_height = c.filter_width = filter;
      c.weights = {planes, 2, 1 - (1 << planes)};
      c.activations = {planes < 3 ? 4 : planes, 1, planes % 2 ? -1 : 0};
      c.bases = channels_in == 61;
      c.largest = channels_in > 200;
      Check(c, ++stream);
      if (HasFailure()) return;
    }
  }
}

// More in a window than 8 and 16 bits add up between two flushes; most in the second and third,
// where all bits are set but for a few.
TEST(KBitConv2d, DeepWindows) {
  Case c;
  c.height = c.width = c.filter_height = c.filter_width = 1;
  c.channels_in = 32 * 4200;
  c.channels_out = 2;
  c.weights = {1, 1, 0};
  Check(c, 3000);
  c.height = c.width = 3;
  c.filter_height = c.filter_width = 2;
  c.channels_in = 1203;
  c.channels_out = 19;
  c.largest = true;
  for (int planes : {1, 2, 3, 4}) {
    c.weights = {1 + planes % 2, 1, -1};
    c.activations = {planes, 1, 0};
    Check(c, 3000 + planes);
  }
}

}  // namespace
}  // namespace tfkit
