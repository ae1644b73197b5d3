// Nodes of the few-bit ops that must not load, each spoilt in one way; and one that runs.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <memory>

#include "delegate/delegate.h"
#include "tests/fake_runtime.h"
#include "tests/flexbuffer_writer.h"

namespace tfkit {
namespace {

using testing::FakeGraph;
using testing::FakeRuntime;
using testing::WriteFlexBufferMap;
using Options = std::map<std::string, std::int64_t>;

enum { kInput, kThresholds, kLevelBits, kPlanes, kWeights, kScales, kBias, kOutput };
enum { kQuantize, kConvolve };

Options ConvolutionOptions() {
  return {{"activation_lowest", 0},
          {"activation_planes", 2},
          {"activation_step", 1},
          {"bases", 0},
          {"channels_in", 3},
          {"channels_out", 2},
          {"dilation_height_factor", 1},
          {"dilation_width_factor", 1},
          {"kernel_height", 3},
          {"kernel_width", 3},
          {"pad_bits", -1},
          {"padding", 0},
          {"stride_height", 1},
          {"stride_width", 1},
          {"weight_lowest", -3},
          {"weight_planes", 2},
          {"weight_step", 2}};
}

template <typename T>
testing::FakeTensor Constant(TfLiteType type, std::vector<int> shape, const std::vector<T>& data) {
  testing::FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.constant = true;
  tensor.data.resize(data.size() * sizeof(T));
  std::memcpy(tensor.data.data(), data.data(), tensor.data.size());
  return tensor;
}

testing::FakeTensor Activation(TfLiteType type, std::vector<int> shape) {
  testing::FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  return tensor;
}

FakeGraph Graph() {
  FakeGraph graph;
  graph.tensors.resize(8);
  graph.tensors[kInput] = Activation(kTfLiteFloat32, {1, 4, 4, 3});
  graph.tensors[kThresholds] = Constant<float>(kTfLiteFloat32, {3}, {0.25f, 0.5f, 0.75f});
  graph.tensors[kLevelBits] = Constant<std::int32_t>(kTfLiteInt32, {4}, {0, 1, 2, 3});
  graph.tensors[kPlanes] = Activation(kTfLiteInt32, {1, 4, 4, 2});
  // 2 planes x 2 channels x 27 weights are 108 bits.
  graph.tensors[kWeights] = Constant<std::uint32_t>(kTfLiteInt32, {4}, {1, 2, 3, 0xfff});
  graph.tensors[kScales] = Constant<float>(kTfLiteFloat32, {1, 2}, {0.5f, 2.0f});
  graph.tensors[kBias] = Constant<float>(kTfLiteFloat32, {2}, {0.0f, 1.0f});
  graph.tensors[kOutput] = Activation(kTfLiteFloat32, {1, 4, 4, 2});
  testing::FakeNode quantize;
  quantize.op = "TfkitKBitQuantize";
  quantize.inputs = {kInput, kThresholds, kLevelBits};
  quantize.outputs = {kPlanes};
  quantize.options = WriteFlexBufferMap({{"activation_planes", 2}});
  testing::FakeNode convolve;
  convolve.op = "TfkitKBitConv2D";
  convolve.inputs = {kPlanes, kWeights, kScales, kBias};
  convolve.outputs = {kOutput};
  convolve.options = WriteFlexBufferMap(ConvolutionOptions(), 8);
  graph.nodes = {quantize, convolve};
  graph.outputs = {kOutput};
  return graph;
}

std::function<void(FakeGraph&)> Option(const char* name, std::int64_t value) {
  return [=](FakeGraph& graph) {
    Options options = ConvolutionOptions();
    options[name] = value;
    graph.nodes[kConvolve].options = WriteFlexBufferMap(options, 8);
  };
}

struct Refusal {
  const char* name;
  std::function<void(FakeGraph&)> spoil;
  const char* message;
};

const Refusal kRefusals[] = {
    {"no weight planes", Option("weight_planes", 0), "'weight_planes' is 0, not 1 to 8"},
    {"nine weight planes", Option("weight_planes", 9), "'weight_planes' is 9"},
    {"five activation planes", Option("activation_planes", 5), "'activation_planes' is 5"},
    {"step of zero", Option("weight_step", 0), "'weight_step' is 0"},
    {"huge step", Option("weight_step", INT32_MAX), "'weight_step' is 2147483647"},
    {"huge offset", Option("activation_lowest", -5000), "'activation_lowest' is -5000"},
    {"bases of 2", Option("bases", 2), "'bases' is 2"},
    {"no channels", Option("channels_in", 0), "'channels_in' is 0"},
    {"sums beyond 32 bits", Option("channels_in", 1 << 28), "do not fit 32 bits"},
    {"kernel beyond 32 bits", Option("kernel_height", INT32_MAX), "do not fit 32 bits"},
    {"padding with other bits", Option("pad_bits", 4), "'pad_bits' is 4"},
    {"unknown padding", Option("padding", 2), "'padding' is 2"},
    {"stride of zero", Option("stride_width", 0), "'stride_width' is 0"},
    {"out of range", Option("channels_out", std::int64_t{1} << 40), "is out of range"},
    {"unknown option", Option("faster", 1), "options that tfkit does not know"},
    {"no options", [](FakeGraph& g) { g.nodes[kConvolve].options.clear(); }, "options are missing"},
    {"other channels", Option("channels_out", 3), "4 words, not the 6 that 162 bits fill"},
    {"bits beyond the last", [](FakeGraph& g) { g.tensors[kWeights].data[15] = 0x80; },
     "bits set beyond the last"},
    {"weights that are no constant", [](FakeGraph& g) { g.tensors[kWeights].constant = false; },
     "its weights is not a constant"},
    {"too few bytes", [](FakeGraph& g) { g.tensors[kWeights].data.resize(8); }, "fewer data"},
    {"bases without their scales", Option("bases", 1),
     "its scales has the shape [1, 2], not [4, 2]"},
    {"bias of another length", [](FakeGraph& g) { g.tensors[kBias].shape = {1}; },
     "its bias has the shape [1], not [2]"},
    {"no bias", [](FakeGraph& g) { g.nodes[kConvolve].inputs.pop_back(); }, "3 inputs"},
    {"float planes", [](FakeGraph& g) { g.nodes[kConvolve].inputs[0] = kInput; },
     "its input is not int32"},
    {"int output", [](FakeGraph& g) { g.tensors[kOutput].type = kTfLiteInt32; },
     "it has 4 inputs and 1 outputs, not 7"},
    {"version 2", [](FakeGraph& g) { g.nodes[kConvolve].version = 2; }, "version 2"},
    {"window larger than the image",
     [](FakeGraph& g) {
       g.tensors[kInput].shape = {1, 2, 2, 3};
       Option("padding", 1)(g);
     },
     "does not fit"},
    {"input of other channels", [](FakeGraph& g) { g.tensors[kInput].shape = {1, 4, 4, 40}; },
     "2 words of channels"},
    {"input of rank 3", [](FakeGraph& g) { g.tensors[kInput].shape = {4, 4, 3}; }, "not 4 axes"},
    {"thresholds that fall",
     [](FakeGraph& g) {
       g.tensors[kThresholds] = Constant<float>(kTfLiteFloat32, {3}, {0.5f, 0.25f, 0.75f});
     },
     "do not rise"},
    {"threshold that is no number",
     [](FakeGraph& g) {
       const float nan = std::numeric_limits<float>::quiet_NaN();
       g.tensors[kThresholds] = Constant<float>(kTfLiteFloat32, {3}, {0.5f, nan, 0.75f});
     },
     "do not rise"},
    {"too many thresholds",
     [](FakeGraph& g) {
       g.tensors[kThresholds] = Constant<float>(kTfLiteFloat32, {16}, std::vector<float>(16));
     },
     "16 thresholds"},
    {"level bits of another length", [](FakeGraph& g) { g.tensors[kLevelBits].shape = {3}; },
     "its level bits has the shape [3], not [4]"},
    {"bits beyond the planes", [](FakeGraph& g) { g.tensors[kLevelBits].data[0] = 4; },
     "the bits 4"},
    {"quantizer without planes",
     [](FakeGraph& g) {
       g.nodes[kQuantize].options = WriteFlexBufferMap({{"activation_planes", 0}});
     },
     "'activation_planes' is 0"},
    {"quantizer of integers", [](FakeGraph& g) { g.tensors[kInput].type = kTfLiteInt32; },
     "its input is not float32"},
    {"quantizer of a scalar", [](FakeGraph& g) { g.tensors[kInput].shape = {}; }, "a scalar"},
};

TEST(KBitDelegate, RefusesWithANameAndAReason) {
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.name);
    FakeGraph graph = Graph();
    refusal.spoil(graph);
    const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
    FakeRuntime runtime(graph);
    EXPECT_FALSE(runtime.Apply(delegate->handle()) && runtime.claimed() && runtime.Allocate());
    EXPECT_NE(runtime.errors().find(refusal.message), std::string::npos) << runtime.errors();
    EXPECT_EQ(runtime.errors().find("TfkitDelegate: "), 0u) << runtime.errors();
  }
}

TEST(KBitDelegate, RunsInOnePartition) {
  const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
  FakeRuntime runtime(Graph());
  ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
  ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
  auto* input = static_cast<float*>(runtime.tensor(kInput).data);
  for (int i = 0; i < 48; ++i) input[i] = 0.3f;  // level 1 everywhere
  ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
  // Weights are -3 + 2 * index, and each product is one of them.
  const std::uint32_t words[] = {1, 2, 3, 0xfff};
  int sum = 0;
  for (int i = 0; i < 27; ++i) {
    const int low = words[i / 32] >> (i % 32) & 1;
    const int high = words[(54 + i) / 32] >> ((54 + i) % 32) & 1;
    sum += -3 + 2 * (low + 2 * high);
  }
  const auto* output = static_cast<const float*>(runtime.tensor(kOutput).data);
  EXPECT_EQ(output[(1 * 4 + 1) * 2], 0.5f * sum);  // an inner pixel, channel 0
}

}  // namespace
}  // namespace tfkit
