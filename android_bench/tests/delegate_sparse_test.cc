// The runtime's own convolutions and dense layers, where the delegate takes them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "delegate/delegate.h"
#include "kernels/cpu.h"
#include "tests/fake_runtime.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::FakeGraph;
using testing::FakeNode;
using testing::FakeRuntime;
using testing::FakeTensor;
using testing::Random;

constexpr int kSide = 12;
constexpr int kChannels = 32;
constexpr int kOutputs = 24;
enum Tensors { kInput, kStored, kDense, kBias, kOutput };

std::vector<std::uint8_t> Bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

FakeTensor Float(const std::vector<int>& shape) {
  FakeTensor tensor;
  tensor.shape = shape;
  return tensor;
}

FakeTensor Constant(const std::vector<int>& shape, const std::vector<float>& values) {
  FakeTensor tensor = Float(shape);
  tensor.constant = true;
  tensor.data = Bytes(values);
  return tensor;
}

std::vector<float> Weights(double zeros) {
  Random random(5);
  std::vector<float> weights(kOutputs * kChannels);
  for (float& weight : weights) {
    weight = random.Float(0, 1) < zeros ? 0.0f : random.Float(-1, 1);
  }
  return weights;
}

// [outputs][1][1][channels] as TFLite's converter stores it: compressed along the channels.
FakeTensor Stored(const std::vector<float>& weights) {
  FakeTensor tensor = Constant({kOutputs, 1, 1, kChannels}, {});
  tensor.sparse = true;
  tensor.sparsity.traversal_order = {0, 1, 2, 3};
  tensor.sparsity.dimensions = {
      {0, kOutputs, {}, {}}, {0, 1, {}, {}}, {0, 1, {}, {}}, {1, 0, {0}, {}}};
  std::vector<float> values;
  auto& channels = tensor.sparsity.dimensions[3];
  for (int o = 0; o < kOutputs; ++o) {
    for (int k = 0; k < kChannels; ++k) {
      if (weights[o * kChannels + k] == 0.0f) continue;
      values.push_back(weights[o * kChannels + k]);
      channels.indices.push_back(k);
    }
    channels.segments.push_back(static_cast<int>(values.size()));
  }
  tensor.data = Bytes(values);
  return tensor;
}

// A DENSIFY and the 1x1 CONV_2D that reads it.
FakeGraph Graph(double zeros = 0.9) {
  FakeGraph graph;
  graph.tensors = {Float({1, kSide, kSide, kChannels}), Stored(Weights(zeros)),
                   Float({kOutputs, 1, 1, kChannels}),
                   Constant({kOutputs}, std::vector<float>(kOutputs, 0.25f)),
                   Float({1, kSide, kSide, kOutputs})};
  FakeNode densify;
  densify.builtin_code = kTfLiteBuiltinDensify;
  densify.inputs = {kStored};
  densify.outputs = {kDense};
  FakeNode convolution;
  convolution.builtin_code = kTfLiteBuiltinConv2d;
  convolution.version = 5;
  convolution.inputs = {kInput, kDense, kBias};
  convolution.outputs = {kOutput};
  convolution.conv = {1, 1, 1, 0, 1, 1};
  graph.nodes = {densify, convolution};
  graph.outputs = {kOutput};
  return graph;
}

struct Outcome {
  std::vector<int> claimed;
  std::vector<float> output;
  std::string errors;
};

Outcome RunWith(const FakeGraph& graph, const std::string& kernel = "", int threads = 1) {
  Options options;
  options.kernel = kernel;
  options.num_threads = threads;
  const auto delegate = std::make_shared<Delegate>(options);
  FakeRuntime runtime(graph);
  EXPECT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
  Outcome outcome{runtime.claimed_nodes(), {}, {}};
  if (!runtime.claimed()) return outcome;
  EXPECT_TRUE(runtime.Allocate()) << runtime.errors();
  Random random(6);
  auto* input = static_cast<float*>(runtime.tensor(kInput).data);
  for (std::size_t i = 0; i < runtime.tensor(kInput).bytes / sizeof(float); ++i) {
    input[i] = random.Float(-1, 1);
  }
  EXPECT_TRUE(runtime.Invoke()) << runtime.errors();
  const TfLiteTensor& output = runtime.tensor(kOutput);
  const auto* values = static_cast<const float*>(output.data);
  outcome.output.assign(values, values + output.bytes / sizeof(float));
  return outcome;
}

TEST(DelegateSparse, TakesConvolutionAndDensify) {
  const Outcome reference = RunWith(Graph(), "reference");
  EXPECT_EQ(reference.claimed, (std::vector<int>{1, 0}));
  ASSERT_EQ(reference.output.size(), std::size_t{kSide * kSide * kOutputs});
  const std::vector<float> weights = Weights(0.9);
  Random random(6);
  std::vector<float> pixel(kChannels);
  for (float& value : pixel) value = random.Float(-1, 1);
  for (int o = 0; o < kOutputs; ++o) {
    float sum = 0.25f;
    for (int k = 0; k < kChannels; ++k) {
      if (weights[o * kChannels + k] != 0)
        sum = std::fma(weights[o * kChannels + k], pixel[k], sum);
    }
    EXPECT_EQ(reference.output[o], sum);
  }
#if defined(__aarch64__)
  for (const char* kernel : {"neon"}) EXPECT_EQ(RunWith(Graph(), kernel).output, reference.output);
#endif
  if (Has(HostCpu(), Isa::kFma)) {
    EXPECT_EQ(RunWith(Graph(), "fma").output, reference.output);
    EXPECT_EQ(RunWith(Graph(), "fma", 3).output, reference.output);
  }
}

TEST(DelegateSparse, ReadsWhatIsStoredDenselyToo) {
  FakeGraph graph = Graph();
  graph.tensors[kDense] = Constant({kOutputs, 1, 1, kChannels}, Weights(0.9));
  graph.nodes.erase(graph.nodes.begin());
  const Outcome outcome = RunWith(graph, "reference");
  EXPECT_EQ(outcome.claimed, std::vector<int>{0});
  EXPECT_EQ(outcome.output, RunWith(Graph(), "reference").output);
}

TEST(DelegateSparse, RunsDenseLayers) {
  FakeGraph graph = Graph();
  graph.tensors[kInput].shape = {kSide * kSide, kChannels};
  graph.tensors[kDense] = Constant({kOutputs, kChannels}, Weights(0.9));
  graph.nodes.erase(graph.nodes.begin());
  graph.nodes[0].builtin_code = kTfLiteBuiltinFullyConnected;
  EXPECT_EQ(RunWith(graph, "reference").output, RunWith(Graph(), "reference").output);
  graph.tensors[kInput].shape = {3, kSide * kSide / 3, kChannels};
  graph.nodes[0].fully_connected.keep_num_dims = true;
  EXPECT_EQ(RunWith(graph, "reference").output, RunWith(Graph(), "reference").output);
}

// Blocks of 4 outputs x 1 channel, channels first: what the format allows and nobody should write.
TEST(DelegateSparse, ReadsBlocksInAnyOrder) {
  std::vector<float> weights(kOutputs * kChannels);
  Random random(9);
  FakeGraph graph = Graph();
  FakeTensor& stored = graph.tensors[kStored];
  stored = Constant({kOutputs, 1, 1, kChannels}, {});
  stored.sparse = true;
  stored.sparsity.traversal_order = {3, 1, 2, 0, 4};
  stored.sparsity.block_map = {0};
  stored.sparsity.dimensions = {
      {0, kChannels, {}, {}}, {0, 1, {}, {}}, {0, 1, {}, {}}, {1, 0, {0}, {}}, {0, 4, {}, {}}};
  std::vector<float> values;
  for (int k = 0; k < kChannels; ++k) {
    for (int block = 0; block < kOutputs / 4; ++block) {
      if (random.Integer(0, 9) != 0) continue;
      stored.sparsity.dimensions[3].indices.push_back(block);
      for (int o = 4 * block; o < 4 * block + 4; ++o) {
        values.push_back(random.Float(0.5, 1));
        weights[o * kChannels + k] = values.back();
      }
    }
    stored.sparsity.dimensions[3].segments.push_back(
        static_cast<int>(stored.sparsity.dimensions[3].indices.size()));
  }
  stored.data = Bytes(values);
  FakeGraph dense = Graph();
  dense.tensors[kDense] = Constant({kOutputs, 1, 1, kChannels}, weights);
  dense.nodes.erase(dense.nodes.begin());
  EXPECT_EQ(RunWith(graph, "reference").output, RunWith(dense, "reference").output);
}

// All of these stay with the runtime, which will run them or say what is wrong.
TEST(DelegateSparse, LeavesTheRestToTheRuntime) {
  const auto without_densify = [](FakeGraph& graph, double zeros) {
    graph.tensors[kDense] = Constant({kOutputs, 1, 1, kChannels}, Weights(zeros));
  };
  const std::vector<std::pair<const char*, std::function<void(FakeGraph&)>>> changes = {
      {"few zeros", [&](FakeGraph& g) { without_densify(g, 0.3); }},
      {"few stored zeros", [](FakeGraph& g) { g = Graph(0.3); }},
      {"no constant",
       [](FakeGraph& g) { g.tensors[kDense].constant = false, g.nodes[0].outputs = {kBias}; }},
      {"int8", [](FakeGraph& g) { g.tensors[kInput].type = kTfLiteInt8; }},
      {"groups", [](FakeGraph& g) { g.tensors[kInput].shape[3] = 2 * kChannels; }},
      {"padding", [](FakeGraph& g) { g.nodes[1].conv.padding = 0; }},
      {"stride", [](FakeGraph& g) { g.nodes[1].conv.stride_width = 0; }},
      {"activation", [](FakeGraph& g) { g.nodes[1].conv.activation = 4; }},
      {"bias", [](FakeGraph& g) { g.tensors[kBias].shape = {kOutputs + 1}; }},
      {"infinite",
       [](FakeGraph& g) {
         const float infinity = std::numeric_limits<float>::infinity();
         std::memcpy(g.tensors[kStored].data.data(), &infinity, sizeof(infinity));
       }},
      {"values", [](FakeGraph& g) { g.tensors[kStored].data.resize(8); }},
      {"order", [](FakeGraph& g) { g.tensors[kStored].sparsity.traversal_order[0] = 1; }},
      {"order out of range",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.traversal_order[0] = 9; }},
      {"dimensions", [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions.pop_back(); }},
      {"size", [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[0].dense_size = 99; }},
      {"negative size",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[0].dense_size = -1; }},
      {"format", [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].format = 2; }},
      {"block", [](FakeGraph& g) { g.tensors[kStored].sparsity.block_map = {4}; }},
      {"index",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].indices[1] = kChannels; }},
      {"negative index",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].indices[1] = -1; }},
      {"segment", [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].segments[2] = 0; }},
      {"last segment",
       [](FakeGraph& g) { ++g.tensors[kStored].sparsity.dimensions[3].segments.back(); }},
      {"large with next to no values",
       [](FakeGraph& g) {
         g.tensors[kStored].shape[0] = 1 << 24;
         g.tensors[kStored].sparsity.dimensions[0].dense_size = 1 << 24;
       }},
      {"few segments",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].segments.resize(4); }},
      {"no segments",
       [](FakeGraph& g) { g.tensors[kStored].sparsity.dimensions[3].segments.clear(); }},
  };
  for (const auto& [name, change] : changes) {
    SCOPED_TRACE(name);
    FakeGraph graph = Graph();
    change(graph);
    EXPECT_TRUE(RunWith(graph, "reference").claimed.empty());
  }
}

// Another reader still needs the dense weights: the runtime makes them for it.
TEST(DelegateSparse, LeavesADensifyThatOthersNeed) {
  FakeGraph graph = Graph();
  FakeNode other;
  other.builtin_code = 114;
  other.inputs = {kDense};
  other.outputs = {static_cast<int>(graph.tensors.size())};
  graph.tensors.push_back(Float({kOutputs, 1, 1, kChannels}));
  graph.nodes.push_back(other);
  EXPECT_EQ(RunWith(graph, "reference").claimed, std::vector<int>{1});
}

// Whatever the numbers of a stored constant say, it is read within its bounds or left alone.
TEST(DelegateSparse, SurvivesAnyNumbers) {
  const int odd[] = {-1, 0, 1, 2, 3, 4, 31, 32, 33, 1 << 20, 1 << 30, -(1 << 30)};
  int taken = 0;
  for (int round = 0; round < 600; ++round) {
    Random random(1000 + round);
    FakeGraph graph = Graph();
    FakeTensor& stored = graph.tensors[kStored];
    if (round % 3 == 0) stored.sparsity.block_map = {random.Integer(0, 3)};
    if (round % 6 == 0) {
      stored.sparsity.traversal_order.push_back(4);
      stored.sparsity.dimensions.push_back({0, 4, {}, {}});
    }
    std::vector<int*> numbers;
    for (std::vector<int>* list : {&stored.shape, &stored.sparsity.traversal_order}) {
      for (int& number : *list) numbers.push_back(&number);
    }
    for (auto& dimension : stored.sparsity.dimensions) {
      numbers.push_back(&dimension.format);
      numbers.push_back(&dimension.dense_size);
      for (std::vector<int>* list : {&dimension.segments, &dimension.indices}) {
        if (!list->empty()) numbers.push_back(&(*list)[random.Integer(0, int(list->size()) - 1)]);
        if (!list->empty() && random.Integer(0, 9) == 0) list->pop_back();
      }
    }
    for (int i = random.Integer(1, 3); i > 0; --i) {
      int& number = *numbers[random.Integer(0, static_cast<int>(numbers.size()) - 1)];
      number =
          random.Integer(0, 1) == 0 ? odd[random.Integer(0, 11)] : number + random.Integer(-1, 1);
    }
    Options options;
    options.kernel = "reference";
    const auto delegate = std::make_shared<Delegate>(options);
    FakeRuntime runtime(graph);
    if (!runtime.Apply(delegate->handle()) || !runtime.claimed()) continue;
    if (runtime.Allocate() && runtime.Invoke()) ++taken;
  }
  EXPECT_GT(taken, 20);   // many a change is harmless,
  EXPECT_LT(taken, 400);  // and most are not
}

}  // namespace
}  // namespace tfkit
