#include "delegate/delegate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <thread>

#include "delegate/report.h"
#include "tests/fake_runtime.h"
#include "tests/flexbuffer_writer.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using testing::FakeGraph;
using testing::FakeNode;
using testing::FakeRuntime;
using testing::FakeTensor;
using testing::WriteFlexBufferMap;
using OptionMap = std::map<std::string, std::int64_t>;

constexpr int kChannels = 33;  // of the input
constexpr int kOutputs = 40;

OptionMap ConvolutionOptions() {
  return {{"channels_in", kChannels},
          {"dilation_height_factor", 1},
          {"dilation_width_factor", 1},
          {"fused_activation_function", 0},
          {"pad_values", 1},
          {"padding", 0},
          {"stride_height", 1},
          {"stride_width", 1}};
}

OptionMap PoolOptions() {
  return {{"filter_height", 2},
          {"filter_width", 2},
          {"padding", 1},
          {"stride_height", 2},
          {"stride_width", 2}};
}

template <typename T>
FakeTensor Constant(TfLiteType type, std::vector<int> shape, const std::vector<T>& values) {
  FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.constant = true;
  tensor.data.resize(values.size() * sizeof(T));
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

FakeTensor Activation(TfLiteType type, std::vector<int> shape) {
  FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  return tensor;
}

enum Tensors { kInput, kSigns, kFilter, kThreshold, kConvolved, kPooled, kOutput, kMultiplier };
enum Nodes { kQuantize, kConvolve, kPool, kDequantize };

// Quantize, a 1x1 convolution with bitpacked output, pooling and dequantize, in one partition.
FakeGraph Chain() {
  testing::Random random(7);
  const std::vector<int> filter = random.Signs(kOutputs * kChannels);
  FakeGraph graph;
  graph.tensors = {
      Activation(kTfLiteFloat32, {1, 4, 4, kChannels}),
      Activation(kTfLiteInt32, {1, 4, 4, 2}),
      Constant(kTfLiteInt32, {kOutputs, 1, 1, 2}, testing::Pack(filter, kChannels)),
      Constant(kTfLiteInt32, {kOutputs}, std::vector<std::int32_t>(kOutputs, kChannels / 2)),
      Activation(kTfLiteInt32, {1, 4, 4, 2}),
      Activation(kTfLiteInt32, {1, 2, 2, 2}),
      Activation(kTfLiteFloat32, {1, 2, 2, kOutputs}),
      Constant(kTfLiteFloat32, {kOutputs}, std::vector<float>(kOutputs, 0.5f)),
  };
  graph.nodes = {
      {"LceQuantize", {kInput}, {kSigns}, {}},
      {"LceBconv2d",
       {kSigns, kFilter, -1, -1, kThreshold},
       {kConvolved},
       WriteFlexBufferMap(ConvolutionOptions())},
      {"LceBMaxPool2d", {kConvolved}, {kPooled}, WriteFlexBufferMap(PoolOptions())},
      {"LceDequantize", {kPooled}, {kOutput}, {}},
  };
  graph.outputs = {kOutput};
  return graph;
}

// What the chain computes, by definition.
std::vector<float> ExpectedOutput(const std::vector<float>& input, int batch) {
  testing::Random random(7);
  const std::vector<int> filter = random.Signs(kOutputs * kChannels);
  std::vector<float> output;
  for (int n = 0; n < batch; ++n)
    for (int oy = 0; oy < 2; ++oy)
      for (int ox = 0; ox < 2; ++ox)
        for (int oc = 0; oc < kOutputs; ++oc) {
          float maximum = -1;
          for (int k = 0; k < 4; ++k) {
            const int pixel = (n * 4 + 2 * oy + k / 2) * 4 + 2 * ox + k % 2;
            int sum = 0;
            for (int c = 0; c < kChannels; ++c) {
              sum += (input[pixel * kChannels + c] < 0 ? -1 : 1) * filter[oc * kChannels + c];
            }
            // (33 - sum) / 2 > 16, that is sum < 1
            maximum = std::max(maximum, sum < 1 ? -1.0f : 1.0f);
          }
          output.push_back(maximum);
        }
  return output;
}

std::vector<float> FillInput(FakeRuntime& runtime, std::uint64_t stream) {
  testing::Random random(stream);
  std::vector<float> input(runtime.tensor(kInput).bytes / sizeof(float));
  for (float& value : input) value = random.Float(-1, 1);
  std::memcpy(runtime.tensor(kInput).data, input.data(), runtime.tensor(kInput).bytes);
  return input;
}

std::vector<float> ReadOutput(FakeRuntime& runtime) {
  const TfLiteTensor& tensor = runtime.tensor(kOutput);
  std::vector<float> output(tensor.bytes / sizeof(float));
  std::memcpy(output.data(), tensor.data, tensor.bytes);
  return output;
}

TEST(Delegate, RunsAChainAndFollowsResizes) {
  for (const char* kernel : {"", "reference", "portable"}) {
    Options options;
    options.kernel = kernel;
    options.profile = true;
    const auto shared = std::make_shared<Delegate>(options);
    Delegate& delegate = *shared;
    FakeRuntime runtime(Chain());
    ASSERT_TRUE(runtime.Apply(delegate.handle())) << runtime.errors();
    ASSERT_TRUE(runtime.claimed());
    for (int batch : {1, 3, 2}) {
      runtime.ResizeInput(kInput, {batch, 4, 4, kChannels});
      ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
      const std::vector<float> input = FillInput(runtime, batch);
      ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
      EXPECT_EQ(ReadOutput(runtime), ExpectedOutput(input, batch)) << "batch " << batch;
    }
    const std::vector<NodeReport> report = delegate.Report().nodes;
    ASSERT_EQ(report.size(), 4u);
    EXPECT_EQ(report[1].node, 1);
    EXPECT_EQ(report[1].op, "LceBconv2d");
    EXPECT_EQ(report[1].invocations, 3u);
    if (*kernel) {
      for (const NodeReport& node : report) EXPECT_EQ(node.kernel, kernel);
    }
  }
}

// The option first, then what the runtime recommends, and one thread where neither says.
TEST(Delegate, AnyNumberOfThreadsGivesTheSameBits) {
  std::vector<float> expected;
  for (int option : {0, 1, 2, 5}) {
    for (int recommended : {-1, 0, 1, 3}) {
      Options options;
      options.num_threads = option;
      options.kernel = "reference";
      const auto shared = std::make_shared<Delegate>(options);
      FakeRuntime runtime(Chain());
      runtime.Recommend(recommended);
      ASSERT_TRUE(runtime.Apply(shared->handle())) << runtime.errors();
      runtime.ResizeInput(kInput, {40, 4, 4, kChannels});  // enough to be worth several threads
      ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
      const std::vector<float> input = FillInput(runtime, 40);
      if (expected.empty()) expected = ExpectedOutput(input, 40);
      for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
        ASSERT_EQ(ReadOutput(runtime), expected) << option << ", " << recommended;
      }
      const int threads = option > 0 ? option : std::max(1, recommended);
      // Scratch grows with the threads: one pixel's sums each, in an arena of tensors otherwise.
      const DelegateReport report = shared->Report();
      EXPECT_EQ(report.workspace_bytes, threads * 192u) << option << ", " << recommended;
    }
  }
}

TEST(Delegate, ServesInterpretersInThreads) {
  Options options;
  options.num_threads = 3;
  const auto shared = std::make_shared<Delegate>(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&shared, t] {
      for (int round = 0; round < 3; ++round) {
        FakeRuntime runtime(Chain());
        ASSERT_TRUE(runtime.Apply(shared->handle())) << runtime.errors();
        for (int batch : {40, 7 + t}) {
          runtime.ResizeInput(kInput, {batch, 4, 4, kChannels});
          ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
          const std::vector<float> input = FillInput(runtime, t);
          const std::vector<float> expected = ExpectedOutput(input, batch);
          for (int i = 0; i < 5; ++i) {
            ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
            ASSERT_EQ(ReadOutput(runtime), expected);
          }
          shared->Report();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A runtime that goes on after a failed resize gets an error, not a mixture of two shapes.
TEST(Delegate, DoesNotRunWithAShapeItRefused) {
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  FakeRuntime runtime(Chain());
  ASSERT_TRUE(runtime.Apply(delegate.handle()) && runtime.Allocate());
  FillInput(runtime, 1);
  EXPECT_TRUE(runtime.Invoke());
  runtime.ResizeInput(kInput, {1, 4, 4, 65});
  EXPECT_FALSE(runtime.Allocate());
  EXPECT_FALSE(runtime.Invoke());
  runtime.ResizeInput(kInput, {1, 4, 4, kChannels});
  EXPECT_TRUE(runtime.Allocate());
  EXPECT_TRUE(runtime.Invoke());
}

// The bytes of such a constant are only its nonzero values.
TEST(Delegate, RefusesASparseInput) {
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  FakeRuntime runtime(Chain());
  const int sparsity = 0;
  runtime.tensor(kInput).sparsity = &sparsity;
  ASSERT_TRUE(runtime.Apply(delegate.handle()));
  EXPECT_FALSE(runtime.Allocate());
  EXPECT_NE(runtime.errors().find("node 0 (LceQuantize): its input is stored sparse"),
            std::string::npos)
      << runtime.errors();
}

TEST(Delegate, AnInnerTensorMayAlsoBeAnOutput) {
  FakeGraph graph = Chain();
  graph.outputs = {kOutput, kSigns};
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  FakeRuntime runtime(graph);
  ASSERT_TRUE(runtime.Apply(delegate.handle())) << runtime.errors();
  ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
  const std::vector<float> input = FillInput(runtime, 1);
  ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
  EXPECT_EQ(ReadOutput(runtime), ExpectedOutput(input, 1));
  std::vector<int> signs;
  for (float value : input) signs.push_back(value < 0 ? -1 : 1);
  const auto expected = testing::Pack(signs, kChannels);
  ASSERT_EQ(runtime.tensor(kSigns).bytes, expected.size() * 4);
  EXPECT_EQ(std::memcmp(runtime.tensor(kSigns).data, expected.data(), expected.size() * 4), 0);
}

TEST(Delegate, ReportEndsWithTheInterpreter) {
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  {
    FakeRuntime first(Chain()), second(Chain());
    ASSERT_TRUE(first.Apply(delegate.handle()) && second.Apply(delegate.handle()));
    EXPECT_EQ(delegate.Report().nodes.size(), 0u);  // nothing is planned yet
    ASSERT_TRUE(first.Allocate() && second.Allocate());
    EXPECT_EQ(delegate.Report().nodes.size(), 8u);
  }
  EXPECT_EQ(delegate.Report().nodes.size(), 0u);
}

TEST(Delegate, ReportIsJson) {
  EXPECT_EQ(ToJson({}),
            R"({"schema_version": 1, "nodes": [], )"
            R"("memory": {"arena_bytes": 0, "workspace_bytes": 0, "packed_bytes": 0}})");
  DelegateReport report;
  report.nodes = {{2, "LceBconv2d", "portable", 10, 1234}, {3, "LceDequantize", "reference", 0, 0}};
  report.arena_bytes = 64;
  report.workspace_bytes = 128;
  report.packed_bytes = 1 << 20;
  EXPECT_EQ(ToJson(report),
            R"({"schema_version": 1, "nodes": [)"
            R"({"node": 2, "op": "LceBconv2d", "kernel": "portable", "invocations": 10, )"
            R"("nanoseconds": 1234}, )"
            R"({"node": 3, "op": "LceDequantize", "kernel": "reference", "invocations": 0, )"
            R"("nanoseconds": 0}], )"
            R"("memory": {"arena_bytes": 64, "workspace_bytes": 128, "packed_bytes": 1048576}})");
}

// Inner tensors of the chain: the signs and the convolved image, 4 x 4 x 2 words each and alive
// together, then the pooled one, 2 x 2 x 2 words, in the signs' place.
TEST(Delegate, CountsItsMemory) {
  Options options;
  options.kernel = "reference";
  const auto shared = std::make_shared<Delegate>(options);
  Delegate& delegate = *shared;
  FakeRuntime runtime(Chain());
  ASSERT_TRUE(runtime.Apply(delegate.handle()) && runtime.Allocate()) << runtime.errors();
  const DelegateReport report = delegate.Report();
  EXPECT_EQ(report.arena_bytes, 2u * 4 * 4 * 2 * 4);
  // The reference keeps one pixel's sums, 40 int32, while the two large tensors live.
  EXPECT_EQ(report.workspace_bytes, 192u);
  // The filter, 40 x 2 words, and the thresholds, padded to 64.
  EXPECT_EQ(report.packed_bytes, 40u * 2 * 4 + 64 * 4);
  FakeRuntime second(Chain());
  ASSERT_TRUE(second.Apply(delegate.handle()) && second.Allocate()) << second.errors();
  EXPECT_EQ(delegate.Report().arena_bytes, 2 * report.arena_bytes);
}

TEST(Delegate, LeavesOtherNodesAlone) {
  FakeGraph graph = Chain();
  for (FakeNode& node : graph.nodes) node.op = "SomeoneElses";
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  FakeRuntime runtime(graph);
  EXPECT_TRUE(runtime.Apply(delegate.handle()));
  EXPECT_FALSE(runtime.claimed());
}

TEST(Delegate, AbsentMultiplierAndBiasAreOneAndZero) {
  FakeGraph graph = Chain();
  graph.nodes.resize(2);
  graph.nodes[kConvolve].inputs = {kSigns, kFilter, -1, -1, -1};
  graph.nodes[kConvolve].outputs = {kOutput};
  graph.tensors[kOutput].shape = {1, 4, 4, kOutputs};
  const auto shared = std::make_shared<Delegate>(Options{});
  Delegate& delegate = *shared;
  FakeRuntime runtime(graph);
  ASSERT_TRUE(runtime.Apply(delegate.handle())) << runtime.errors();
  ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
  FillInput(runtime, 1);
  ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
  for (float sum : ReadOutput(runtime)) {
    EXPECT_LE(std::fabs(sum), kChannels);
    EXPECT_EQ(std::fmod(std::fabs(sum), 2.0f), 1.0f);  // a sum of 33 signs is odd
  }
}

struct Refusal {
  const char* name;
  std::function<void(FakeGraph&)> spoil;
  const char* message;  // a part of it
};

std::function<void(FakeGraph&)> ConvolutionOption(const char* name, std::int64_t value) {
  return [=](FakeGraph& graph) {
    OptionMap options = ConvolutionOptions();
    options[name] = value;
    graph.nodes[kConvolve].options = WriteFlexBufferMap(options, 8);
  };
}

std::function<void(FakeGraph&)> PoolOption(const char* name, std::int64_t value) {
  return [=](FakeGraph& graph) {
    OptionMap options = PoolOptions();
    options[name] = value;
    graph.nodes[kPool].options = WriteFlexBufferMap(options, 8);
  };
}

std::function<void(FakeGraph&)> InputShape(std::vector<int> shape) {
  return [=](FakeGraph& graph) { graph.tensors[kInput].shape = shape; };
}

// The convolution gives int8 with these parameters; nothing comes after it.
std::function<void(FakeGraph&)> Int8Output(float scale, int zero_point) {
  return [=](FakeGraph& graph) {
    graph.nodes.resize(2);
    graph.nodes[kConvolve].outputs = {kOutput};
    graph.nodes[kConvolve].inputs = {kSigns, kFilter, kMultiplier, kMultiplier, -1};
    graph.tensors[kOutput].type = kTfLiteInt8;
    graph.tensors[kOutput].scale = scale;
    graph.tensors[kOutput].zero_point = zero_point;
  };
}

const Refusal kRefusals[] = {
    // Options.
    {"no options", [](FakeGraph& g) { g.nodes[kConvolve].options.clear(); }, "options are missing"},
    {"foreign options", [](FakeGraph& g) { g.nodes[kPool].options = {1, 2, 3, 4, 5}; },
     "not a FlexBuffer map"},
    {"missing option",
     [](FakeGraph& g) {
       OptionMap options = ConvolutionOptions();
       options.erase("pad_values");
       g.nodes[kConvolve].options = WriteFlexBufferMap(options);
     },
     "the option 'pad_values' is missing"},
    {"unknown option", ConvolutionOption("weight_scale", 3), "options that tfkit does not know"},
    {"huge option", ConvolutionOption("stride_width", std::int64_t{1} << 32),
     "the option 'stride_width' is out of range"},
    {"stride 0", ConvolutionOption("stride_height", 0), "does not fit"},
    {"stride -1", ConvolutionOption("stride_width", -1), "does not fit"},
    {"dilation 0", ConvolutionOption("dilation_width_factor", 0), "does not fit"},
    {"padding 2", ConvolutionOption("padding", 2), "neither 0 (SAME) nor 1 (VALID)"},
    {"pad value -1", ConvolutionOption("pad_values", -1), "'pad_values' is -1"},
    {"activation 4", ConvolutionOption("fused_activation_function", 4),
     "'fused_activation_function' is 4"},
    {"no channels", ConvolutionOption("channels_in", 0), "'channels_in' is 0"},
    {"most channels", ConvolutionOption("channels_in", INT32_MAX), "does not fit 2147483647"},
    {"other channels", ConvolutionOption("channels_in", 65), "does not fit 65 input channels"},
    {"zero padding halves", ConvolutionOption("pad_values", 0), "even number of channels"},
    {"pool of no pixels", PoolOption("filter_height", 0), "does not fit"},
    {"pool of INT_MIN pixels", PoolOption("filter_width", INT32_MIN), "does not fit"},
    {"pool larger than the image", PoolOption("filter_width", 5), "does not fit"},
    {"pool stride 0", PoolOption("stride_width", 0), "does not fit"},
    // Counts, indices, versions.
    {"version 2", [](FakeGraph& g) { g.nodes[kConvolve].version = 2; }, "it has version 2"},
    {"too few inputs", [](FakeGraph& g) { g.nodes[kConvolve].inputs.pop_back(); },
     "4 inputs and 1 outputs, not 5 and 1"},
    {"no output", [](FakeGraph& g) { g.nodes[kQuantize].outputs.clear(); },
     "an input or output is missing"},
    {"two outputs", [](FakeGraph& g) { g.nodes[kQuantize].outputs = {kSigns, kPooled}; },
     "1 inputs and 2 outputs"},
    {"input beyond the tensors", [](FakeGraph& g) { g.nodes[kQuantize].inputs = {99}; },
     "tensor 99, which does not exist"},
    {"input -1", [](FakeGraph& g) { g.nodes[kConvolve].inputs[0] = -1; },
     "tensor -1, which does not exist"},
    {"filter -2", [](FakeGraph& g) { g.nodes[kConvolve].inputs[1] = -2; },
     "tensor -2, which does not exist"},
    {"output beyond the tensors", [](FakeGraph& g) { g.nodes[kQuantize].outputs = {8}; },
     "tensor 8, which does not exist"},
    {"output is input", [](FakeGraph& g) { g.nodes[kPool].outputs = {kConvolved}; },
     "node 2 writes tensor 4, which is read before it is written"},
    {"cycle through an input that is not used",
     [](FakeGraph& g) { g.nodes[kConvolve].inputs[3] = kOutput; },
     "node 3 writes tensor 6, which is read before it is written"},
    {"two writers", [](FakeGraph& g) { g.nodes.insert(g.nodes.begin(), g.nodes[kQuantize]); },
     "its output is written by another node too"},
    {"output is a constant", [](FakeGraph& g) { g.nodes[kConvolve].outputs = {kThreshold}; },
     "a constant or a variable"},
    // Types.
    {"quantize of int32", [](FakeGraph& g) { g.tensors[kInput].type = kTfLiteInt32; },
     "neither float32 nor int8"},
    {"quantize to float", [](FakeGraph& g) { g.tensors[kSigns].type = kTfLiteFloat32; },
     "its output is not int32"},
    {"convolution of float", [](FakeGraph& g) { g.nodes[kConvolve].inputs[0] = kInput; },
     "its input is not int32"},
    {"float filter", [](FakeGraph& g) { g.tensors[kFilter].type = kTfLiteFloat32; },
     "its filter has the wrong type"},
    {"float threshold", [](FakeGraph& g) { g.tensors[kThreshold].type = kTfLiteFloat32; },
     "its output threshold has the wrong type"},
    {"dequantize to an unknown type",
     [](FakeGraph& g) { g.tensors[kOutput].type = static_cast<TfLiteType>(77); },
     "neither float32 nor int8"},
    // Constants.
    {"filter that is no constant", [](FakeGraph& g) { g.tensors[kFilter].constant = false; },
     "its filter is not a constant"},
    {"filter of rank 3", [](FakeGraph& g) { g.tensors[kFilter].shape = {kOutputs, 1, 2}; },
     "not of rank 4"},
    {"filter with too few bytes", [](FakeGraph& g) { g.tensors[kFilter].data.resize(100); },
     "fewer data than its shape"},
    {"filter of huge shape",
     [](FakeGraph& g) { g.tensors[kFilter].shape = {INT32_MAX, INT32_MAX, INT32_MAX, 2}; },
     "too large"},
    {"filter with an axis of 0", [](FakeGraph& g) { g.tensors[kFilter].shape = {0, 1, 1, 2}; },
     "has the shape [0, 1, 1, 2]"},
    {"filter with a negative axis",
     [](FakeGraph& g) { g.tensors[kFilter].shape = {kOutputs, -1, -1, 2}; },
     "has the shape [40, -1, -1, 2]"},
    {"groups of 16 channels",
     [](FakeGraph& g) {
       g.tensors[kFilter].shape = {2 * kOutputs, 1, 1, 1};
       ConvolutionOption("channels_in", 48)(g);
     },
     "multiple of 32 input channels"},
    {"filter bits beyond the channels", [](FakeGraph& g) { g.tensors[kFilter].data[4 + 3] = 0x80; },
     "bits set beyond"},
    {"threshold of another length", [](FakeGraph& g) { g.tensors[kThreshold].shape = {39}; },
     "its output threshold has the shape [39], not [40]"},
    {"no threshold", [](FakeGraph& g) { g.nodes[kConvolve].inputs[4] = -1; },
     "no output threshold"},
    // Quantization parameters.
    {"int8 output without parameters", Int8Output(0, 0), "without scale and zero point"},
    {"negative scale", Int8Output(-1, 0), "the scale -1"},
    {"infinite scale", Int8Output(std::numeric_limits<float>::infinity(), 0), "the scale inf"},
    {"zero point beyond int8", Int8Output(1, 128), "the zero point 128"},
    // Shapes that are known when tensors are allocated.
    {"scalar input", InputShape({}), "its input is a scalar"},
    {"empty batch", InputShape({0, 4, 4, kChannels}), "has the shape [0, 4, 4, 33]"},
    {"other channel count", InputShape({1, 4, 4, 65}), "2 words of channels"},
    {"other rank", InputShape({4, 4, kChannels}), "not 4 axes"},
    {"image smaller than the pool", InputShape({1, 1, 4, kChannels}), "does not fit"},
    {"dequantized channels", [](FakeGraph& g) { g.tensors[kOutput].shape = {1, 2, 2, 65}; },
     "does not hold 65 channels"},
    {"dequantize without channels", [](FakeGraph& g) { g.tensors[kOutput].shape = {}; },
     "its output has no channels"},
    {"inner tensor before it is written",
     [](FakeGraph& g) { std::swap(g.nodes[kConvolve], g.nodes[kPool]); },
     "node 2 writes tensor 4, which is read before it is written"},
};

TEST(Delegate, RefusesWithANameAndAReason) {
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.name);
    FakeGraph graph = Chain();
    refusal.spoil(graph);
    const auto shared = std::make_shared<Delegate>(Options{});
    Delegate& delegate = *shared;
    FakeRuntime runtime(graph);
    const bool loaded = runtime.Apply(delegate.handle()) && runtime.claimed() && runtime.Allocate();
    EXPECT_FALSE(loaded);
    EXPECT_NE(runtime.errors().find(refusal.message), std::string::npos) << runtime.errors();
    EXPECT_EQ(runtime.errors().find("TfkitDelegate: "), 0u) << runtime.errors();
    EXPECT_NE(runtime.errors().find("node "), std::string::npos) << runtime.errors();
  }
}

// Mutated graphs: an error or a run, never a fault (the sanitizers' job) and never an exception.
TEST(Delegate, SurvivesMutatedGraphs) {
  const int values[] = {-2, -1, 0, 1, 2, 3, 7, 8, 31, 32, 33, 40, 99, INT32_MAX, INT32_MIN};
  const TfLiteType types[] = {kTfLiteNoType, kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8};
  testing::Random random(99);
  const auto pick = [&](auto& list) -> auto& {
    return list[random.Integer(0, static_cast<int>(std::size(list)) - 1)];
  };
  int ran = 0, refused = 0;
  for (int i = 0; i < 20000; ++i) {
    FakeGraph graph = Chain();
    for (int k = random.Integer(1, 2); k > 0; --k) {
      FakeTensor& tensor = pick(graph.tensors);
      FakeNode& node = pick(graph.nodes);
      switch (random.Integer(0, 7)) {
        case 0:
          pick(tensor.shape) = pick(values);
          break;
        case 1:
          tensor.type = pick(types);
          break;
        case 2:
          pick(node.inputs) = pick(values);
          break;
        case 3:
          pick(node.outputs) = pick(values);
          break;
        case 4:
          if (!node.options.empty()) {
            pick(node.options) = static_cast<std::uint8_t>(random.Integer(0, 255));
          }
          break;
        case 5:
          tensor.data.resize(random.Integer(0, static_cast<int>(tensor.data.size())));
          break;
        case 6:
          std::swap(pick(graph.nodes), pick(graph.nodes));
          break;
        case 7:
          graph.outputs.push_back(random.Integer(0, kMultiplier));
          break;
      }
    }
    // The real runtime refuses graph inputs that it cannot allocate; so does this one.
    const auto& input = graph.tensors[kInput].shape;
    std::int64_t elements = 1;
    for (int size : input) elements = size < 0 || size > 1000 ? INT32_MAX : elements * size;
    if (elements > 100000) continue;
    const auto shared = std::make_shared<Delegate>(Options{});
    Delegate& delegate = *shared;
    FakeRuntime runtime(graph);
    if (runtime.Apply(delegate.handle()) && runtime.claimed() && runtime.Allocate()) {
      runtime.Invoke();
      ++ran;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(ran, 1000);
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace tfkit
