// Few-bit layers that write levels, pool them and flatten them: a chain in the delegate against
// plain sums, and nodes that must not load.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "delegate/delegate.h"
#include "tests/chain_graph.h"
#include "tests/fake_runtime.h"
#include "tests/flexbuffer_writer.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::Activation;
using testing::Constant;
using testing::FakeGraph;
using testing::FakeRuntime;
using testing::Random;
using testing::WriteFlexBufferMap;
using OptionMap = std::map<std::string, std::int64_t>;

constexpr int kSide = 6, kPooled = 3, kIn = 3, kOut = 35, kUnits = 4, kThresholds = 3;
constexpr int kWords = 2;  // of kOut channels
enum {
  kInput,
  kSteps,
  kLevelBits,
  kPlanes,
  kWeights,
  kScales,
  kSums,
  kFalling,
  kLevels,
  kFallingPool,
  kPooledLevels,
  kDenseWeights,
  kDenseScales,
  kDenseBias,
  kOutput,
  kTensors
};
enum { kQuantize, kConvolve, kPool, kFlatten };

OptionMap Options(int in, int out, int window) {
  return {{"activation_lowest", 0},
          {"activation_planes", 2},
          {"activation_step", 1},
          {"bases", 0},
          {"channels_in", in},
          {"channels_out", out},
          {"dilation_height_factor", 1},
          {"dilation_width_factor", 1},
          {"kernel_height", window},
          {"kernel_width", window},
          {"pad_bits", -1},
          {"padding", 0},
          {"stride_height", 1},
          {"stride_width", 1},
          {"weight_lowest", -1},
          {"weight_planes", 1},
          {"weight_step", 2}};
}

OptionMap ConvolutionOptions(bool bases) {
  OptionMap options = Options(kIn, kOut, 3);
  options["bases"] = bases;
  options["output_planes"] = 2;
  return options;
}

OptionMap PoolOptions() {
  return {{"activation_planes", 2}, {"channels", kOut},   {"filter_height", 2}, {"filter_width", 2},
          {"padding", 1},           {"stride_height", 2}, {"stride_width", 2}};
}

std::vector<std::uint32_t> RandomBits(Random& random, int count) {
  std::vector<std::uint32_t> words((count + 31) / 32);
  for (int i = 0; i < count; ++i) words[i / 32] |= std::uint32_t(random.Integer(0, 1)) << (i % 32);
  return words;
}

bool Bit(const std::vector<std::uint32_t>& words, int i) { return words[i / 32] >> (i % 32) & 1u; }

// The constants, so that the expected output is made of the same ones.
struct Chain {
  std::vector<std::uint32_t> weights, dense_weights, falling, falling_pool;
  std::vector<std::int32_t> thresholds;  // [kThresholds][kOut]
  std::vector<float> float_thresholds, scales, dense_scales, dense_bias;
  // Neither the order of numbers nor a code that has all of them.
  std::vector<std::int32_t> bits = {2, 0, 3, 1};
  bool bases = false;
  bool narrow = false;  // thresholds in 16 bits
};

Chain RandomChain(bool bases, std::uint64_t stream) {
  Random random(stream);
  Chain chain;
  chain.bases = bases;
  chain.weights = RandomBits(random, kOut * 9 * kIn);
  chain.dense_weights = RandomBits(random, kUnits * kPooled * kPooled * kOut);
  chain.falling = RandomBits(random, kOut);
  chain.falling_pool = RandomBits(random, kOut);
  chain.thresholds.resize(kThresholds * kOut);
  for (int c = 0; c < kOut; ++c) {
    int low = random.Integer(-12, 2);
    for (int t = 0; t < kThresholds; ++t, low += random.Integer(0, 5)) {
      chain.thresholds[t * kOut + c] = low;
    }
  }
  chain.thresholds[0 * kOut + 4] = std::numeric_limits<std::int32_t>::min();
  chain.thresholds[2 * kOut + 5] = std::numeric_limits<std::int32_t>::max();
  const int terms = bases ? 2 : 1;
  for (int i = 0; i < terms * kOut; ++i) chain.scales.push_back(random.Float(-1, 1));
  for (std::int32_t t : chain.thresholds) {
    chain.float_thresholds.push_back(std::abs(double(t)) > 1e9 ? std::copysign(HUGE_VALF, float(t))
                                                               : 0.25f * static_cast<float>(t));
  }
  for (int i = 0; i < kUnits; ++i) {
    chain.dense_scales.push_back(random.Float(-1, 1));
    chain.dense_bias.push_back(random.Float(-1, 1));
  }
  return chain;
}

testing::FakeTensor Thresholds(const Chain& chain) {
  const std::vector<int> shape = {kThresholds, kOut};
  if (chain.bases) return Constant<float>(kTfLiteFloat32, shape, chain.float_thresholds);
  if (!chain.narrow) return Constant<std::int32_t>(kTfLiteInt32, shape, chain.thresholds);
  std::vector<std::int16_t> narrow;
  for (std::int32_t t : chain.thresholds) {
    narrow.push_back(static_cast<std::int16_t>(std::clamp(t, -32768, 32767)));
  }
  return Constant<std::int16_t>(kTfLiteInt16, shape, narrow);
}

FakeGraph Graph(const Chain& chain) {
  FakeGraph graph;
  graph.tensors.resize(kTensors);
  const auto words = [](const std::vector<std::uint32_t>& data) {
    return Constant<std::uint32_t>(kTfLiteInt32, {static_cast<int>(data.size())}, data);
  };
  graph.tensors[kInput] = Activation(kTfLiteFloat32, {1, kSide, kSide, kIn});
  graph.tensors[kSteps] = Constant<float>(kTfLiteFloat32, {3}, {0.25f, 0.5f, 0.75f});
  graph.tensors[kLevelBits] = Constant<std::int32_t>(kTfLiteInt32, {4}, chain.bits);
  graph.tensors[kPlanes] = Activation(kTfLiteInt32, {1, kSide, kSide, 2});
  graph.tensors[kWeights] = words(chain.weights);
  graph.tensors[kScales] =
      Constant<float>(kTfLiteFloat32, {chain.bases ? 2 : 1, kOut}, chain.scales);
  graph.tensors[kSums] = Thresholds(chain);
  graph.tensors[kFalling] = words(chain.falling);
  graph.tensors[kLevels] = Activation(kTfLiteInt32, {1, kSide, kSide, 2 * kWords});
  graph.tensors[kFallingPool] = words(chain.falling_pool);
  graph.tensors[kPooledLevels] = Activation(kTfLiteInt32, {1, kPooled, kPooled, 2 * kWords});
  graph.tensors[kDenseWeights] = words(chain.dense_weights);
  graph.tensors[kDenseScales] = Constant<float>(kTfLiteFloat32, {1, kUnits}, chain.dense_scales);
  graph.tensors[kDenseBias] = Constant<float>(kTfLiteFloat32, {kUnits}, chain.dense_bias);
  graph.tensors[kOutput] = Activation(kTfLiteFloat32, {1, kUnits});
  graph.nodes.resize(4);
  graph.nodes[kQuantize] = {"TfkitKBitQuantize",
                            {kInput, kSteps, kLevelBits},
                            {kPlanes},
                            WriteFlexBufferMap({{"activation_planes", 2}})};
  graph.nodes[kConvolve] = {
      "TfkitKBitConv2D",
      {kPlanes, kWeights, chain.bases ? int{kScales} : -1, -1, kSums, kLevelBits, kFalling},
      {kLevels},
      WriteFlexBufferMap(ConvolutionOptions(chain.bases), 8)};
  graph.nodes[kPool] = {"TfkitKBitMaxPool2D",
                        {kLevels, kLevelBits, kFallingPool},
                        {kPooledLevels},
                        WriteFlexBufferMap(PoolOptions())};
  graph.nodes[kFlatten] = {"TfkitKBitDense",
                           {kPooledLevels, kDenseWeights, kDenseScales, kDenseBias},
                           {kOutput},
                           WriteFlexBufferMap(Options(kOut, kUnits, kPooled), 8)};
  graph.outputs = {kOutput};
  return graph;
}

// The level of a channel's sums.
int LevelOf(const Chain& chain, int channel, const int (&sums)[2]) {
  const bool falls = Bit(chain.falling, channel);
  int level = 0;
  float y = 0;
  for (int j = 0; j < 2; ++j)
    y += static_cast<float>(sums[j]) * chain.scales[(chain.bases ? j : 0) * kOut + channel];
  const int sum = sums[0] + 2 * sums[1];
  for (int t = 0; t < kThresholds; ++t) {
    const int at = t * kOut + channel;
    level += chain.bases ? (falls ? -y : y) >= chain.float_thresholds[at]
                         : (falls ? -sum - 1 : sum) >= chain.thresholds[at];
  }
  return level;
}

std::vector<float> Expected(const Chain& chain, const std::vector<float>& input) {
  const auto bits_of = [&](float x) {
    return chain.bits[(x >= 0.25f) + (x >= 0.5f) + (x >= 0.75f)];
  };
  std::vector<int> levels;  // [kSide][kSide][kOut]
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      for (int c = 0; c < kOut; ++c) {
        int sums[2] = {0, 0};
        for (int tap = 0; tap < 9; ++tap) {
          const int iy = y + tap / 3 - 1, ix = x + tap % 3 - 1;
          if (iy < 0 || ix < 0 || iy >= kSide || ix >= kSide) continue;
          for (int k = 0; k < kIn; ++k) {
            const int w = Bit(chain.weights, (c * 9 + tap) * kIn + k) ? 1 : -1;
            const int a = bits_of(input[(iy * kSide + ix) * kIn + k]);
            sums[0] += w * (a & 1);
            sums[1] += w * (a >> 1);
          }
        }
        levels.push_back(LevelOf(chain, c, sums));
      }
    }
  }
  std::vector<float> output;
  for (int unit = 0; unit < kUnits; ++unit) {
    int sum = 0;
    for (int i = 0; i < kPooled * kPooled * kOut; ++i) {
      const int c = i % kOut, x = i / kOut % kPooled, y = i / kOut / kPooled;
      int best = levels[(2 * y * kSide + 2 * x) * kOut + c];
      for (int place = 1; place < 4; ++place) {
        const int other = levels[((2 * y + place / 2) * kSide + 2 * x + place % 2) * kOut + c];
        best = Bit(chain.falling_pool, c) ? std::min(best, other) : std::max(best, other);
      }
      const int w = Bit(chain.dense_weights, unit * kPooled * kPooled * kOut + i) ? 1 : -1;
      sum += w * chain.bits[best];
    }
    output.push_back(static_cast<float>(sum) * chain.dense_scales[unit] + chain.dense_bias[unit]);
  }
  return output;
}

std::vector<float> OutputOf(const Chain& chain, const std::vector<float>& input, int threads) {
  tfkit::Options options;
  options.num_threads = threads;
  const auto delegate = std::make_shared<Delegate>(options);
  FakeRuntime runtime(Graph(chain));
  EXPECT_TRUE(runtime.Apply(delegate->handle()) && runtime.Allocate()) << runtime.errors();
  if (::testing::Test::HasFailure()) return {};
  std::memcpy(runtime.tensor(kInput).data, input.data(), input.size() * sizeof(float));
  EXPECT_TRUE(runtime.Invoke()) << runtime.errors();
  const auto* output = static_cast<const float*>(runtime.tensor(kOutput).data);
  return std::vector<float>(output, output + kUnits);
}

TEST(KBitLevels, AChainOfLayersIsThePlainSums) {
  for (bool bases : {false, true}) {
    for (int stream = 0; stream < 5; ++stream) {
      Chain chain = RandomChain(bases, 7000 + stream);
      chain.narrow = stream % 2 != 0;
      Random random(7100 + stream);
      std::vector<float> input(kSide * kSide * kIn);
      for (float& x : input) x = random.Float(0, 1);
      const std::vector<float> expected = Expected(chain, input);
      EXPECT_EQ(expected, OutputOf(chain, input, 1)) << "bases " << bases << ", stream " << stream;
      EXPECT_EQ(expected, OutputOf(chain, input, 3)) << "with three threads";
    }
  }
}

struct Refusal {
  const char* name;
  bool bases;
  std::function<void(FakeGraph&)> spoil;
  const char* message;
};

std::function<void(FakeGraph&)> Option(int node, const OptionMap& map, const char* name,
                                       std::int64_t value) {
  return [=](FakeGraph& graph) {
    OptionMap options = map;
    options[name] = value;
    graph.nodes[node].options = WriteFlexBufferMap(options, 8);
  };
}

template <typename T>
std::function<void(FakeGraph&)> Value(int tensor, int at, T value) {
  return [=](FakeGraph& graph) {
    std::memcpy(graph.tensors[tensor].data.data() + at * sizeof value, &value, sizeof value);
  };
}

const Refusal kRefusals[] = {
    {"no output planes", false, Option(kConvolve, ConvolutionOptions(false), "output_planes", 0),
     "'output_planes' is 0, not 1 to 4"},
    {"levels without planes", false,
     [](FakeGraph& g) {
       g.nodes[kConvolve].options = WriteFlexBufferMap(Options(kIn, kOut, 3), 8);
     },
     "'output_planes' is missing"},
    {"thresholds that fall", false, Value<std::int32_t>(kSums, kOut, -1000), "do not rise"},
    {"float thresholds that fall", true, Value<float>(kSums, kOut, -1000.0f), "do not rise"},
    {"a threshold that is no number", true,
     Value<float>(kSums, 0, std::numeric_limits<float>::quiet_NaN()), "do not rise"},
    {"float thresholds on integers", false,
     [](FakeGraph& g) { g.tensors[kSums].type = kTfLiteFloat32; }, "thresholds has the wrong type"},
    {"thresholds of other channels", false,
     [](FakeGraph& g) { g.tensors[kSums].shape = {kOut, kThresholds}; }, "35 thresholds"},
    {"no thresholds", false, [](FakeGraph& g) { g.nodes[kConvolve].inputs[4] = -1; }, "tensor -1"},
    {"a level of other bits", false,
     Option(kConvolve, ConvolutionOptions(false), "output_planes", 1), "which do not fit 1 planes"},
    {"a mask of another length", false, [](FakeGraph& g) { g.tensors[kFalling].shape = {1}; },
     "falling channels has the shape [1], not [2]"},
    {"a mask beyond the channels", false, Value<std::int32_t>(kFalling, 1, 8), "beyond the last"},
    {"scales of integers", false, [](FakeGraph& g) { g.nodes[kConvolve].inputs[2] = kScales; },
     "it has scales"},
    {"no scales of bases", true, [](FakeGraph& g) { g.nodes[kConvolve].inputs[2] = -1; },
     "tensor -1"},
    {"a bias", false, [](FakeGraph& g) { g.nodes[kConvolve].inputs[3] = kDenseBias; },
     "it has a bias"},
    {"levels to floats", false, [](FakeGraph& g) { g.tensors[kLevels].type = kTfLiteFloat32; },
     "not 4 and 1"},
    {"a window of another image", false,
     Option(kFlatten, Options(kOut* kPooled, kUnits, kPooled), "kernel_width", 1),
     "not images of 3 x 1 pixels"},
    {"a window of vectors", false,
     [](FakeGraph& g) {
       g.nodes.resize(1);
       g.nodes.push_back({"TfkitKBitDense",
                          {kPlanes, kWeights, kDenseScales, kDenseBias},
                          {kOutput},
                          WriteFlexBufferMap(Options(kIn, kOut, 3), 8)});
       g.tensors[kInput].shape = {9, kIn};
       g.tensors[kDenseScales] =
           Constant<float>(kTfLiteFloat32, {1, kOut}, std::vector<float>(kOut));
       g.tensors[kDenseBias] = Constant<float>(kTfLiteFloat32, {kOut}, std::vector<float>(kOut));
     },
     "not images of 3 x 3 pixels"},
    {"a pool without channels", false, Option(kPool, PoolOptions(), "channels", 0),
     "'channels' is 0"},
    {"a pool of other channels", false,
     [](FakeGraph& g) {
       g.nodes[kPool].inputs[2] = -1;
       Option(kPool, PoolOptions(), "channels", 65)(g);
     },
     "6 words"},
    {"a pool of five planes", false, Option(kPool, PoolOptions(), "activation_planes", 5),
     "'activation_planes' is 5"},
    {"a pool with stride 0", false, Option(kPool, PoolOptions(), "stride_width", 0),
     "does not fit"},
    {"levels of equal bits", false,
     [](FakeGraph& g) {
       g.tensors[kFallingPool] = Constant<std::int32_t>(kTfLiteInt32, {4}, {0, 1, 1, 2});
       g.nodes[kPool].inputs = {kLevels, kFallingPool, -1};
     },
     "the same bits"},
    {"a pool of floats", false, [](FakeGraph& g) { g.nodes[kPool].inputs[0] = kInput; },
     "not int32"},
};

TEST(KBitLevels, RefusesWithANameAndAReason) {
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.name);
    FakeGraph graph = Graph(RandomChain(refusal.bases, 7500));
    refusal.spoil(graph);
    const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
    FakeRuntime runtime(graph);
    EXPECT_FALSE(runtime.Apply(delegate->handle()) && runtime.claimed() && runtime.Allocate());
    EXPECT_NE(runtime.errors().find(refusal.message), std::string::npos) << runtime.errors();
    EXPECT_EQ(runtime.errors().find("TfkitDelegate: "), 0u) << runtime.errors();
  }
}

}  // namespace
}  // namespace tfkit
