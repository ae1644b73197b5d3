// Graphs that must not load, each spoilt in one way.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "delegate/delegate.h"
#include "tests/chain_graph.h"
#include "tests/flexbuffer_writer.h"

namespace tfkit {
namespace {

using namespace ::tfkit::testing;  // the chain and its tensors

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

}  // namespace
}  // namespace tfkit
