// TfkitUnpackWeights: its values against the definition, and nodes that must not load.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>

#include "delegate/delegate.h"
#include "tests/fake_runtime.h"
#include "tests/flexbuffer_writer.h"

namespace tfkit {
namespace {

using testing::FakeGraph;
using testing::FakeRuntime;
using testing::FakeTensor;
using testing::WriteFlexBufferMap;
using Options = std::map<std::string, std::int64_t>;

enum { kWords, kLevels, kScales, kKernel };

template <typename T>
FakeTensor Constant(TfLiteType type, std::vector<int> shape, const std::vector<T>& data) {
  FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  tensor.constant = true;
  tensor.data.resize(data.size() * sizeof(T));
  std::memcpy(tensor.data.data(), data.data(), tensor.data.size());
  return tensor;
}

// Numbers as a stream, one bit at a time.
FakeTensor Stream(const std::vector<int>& numbers, int bits) {
  std::vector<std::uint32_t> words((numbers.size() * bits + 31) / 32);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (int b = 0; b < bits; ++b) {
      const std::size_t at = i * bits + b;
      if (numbers[i] >> b & 1) words[at / 32] |= 1u << (at % 32);
    }
  }
  return Constant<std::uint32_t>(kTfLiteInt32, {static_cast<int>(words.size())}, words);
}

// Level of weight i, all of them in turn.
std::vector<int> Numbers(int count, int levels) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(i * 7 % levels);
  return numbers;
}

struct Case {
  int bits = 2;
  int inner = 6;
  int lowest = 0;
  int step = 1;
  std::vector<std::vector<int>> table;  // none: lowest + step * number
  std::vector<std::vector<float>> scales;
  std::vector<int> shape = {4, 1, 2, 3};
  int Count() const {
    int count = 1;
    for (int size : shape) count *= size;
    return count;
  }
  int Levels() const { return table.empty() ? 1 << bits : static_cast<int>(table.size()); }
};

FakeGraph Graph(const Case& c) {
  FakeGraph graph;
  graph.tensors.resize(4);
  graph.tensors[kWords] = Stream(Numbers(c.Count(), c.Levels()), c.bits);
  std::vector<std::int32_t> codes;
  for (const auto& level : c.table) codes.insert(codes.end(), level.begin(), level.end());
  std::vector<float> scales;
  for (const auto& row : c.scales) scales.insert(scales.end(), row.begin(), row.end());
  if (!c.table.empty()) {
    graph.tensors[kLevels] =
        Constant(kTfLiteInt32, {int(c.table.size()), int(c.table[0].size())}, codes);
  }
  if (!c.scales.empty()) {
    graph.tensors[kScales] =
        Constant(kTfLiteFloat32, {int(c.scales.size()), int(c.scales[0].size())}, scales);
  }
  graph.tensors[kKernel].type = c.scales.empty() ? kTfLiteInt8 : kTfLiteFloat32;
  graph.tensors[kKernel].shape = c.shape;
  testing::FakeNode unpack;
  unpack.op = "TfkitUnpackWeights";
  unpack.inputs = {kWords, c.table.empty() ? -1 : int(kLevels),
                   c.scales.empty() ? -1 : int(kScales)};
  unpack.outputs = {kKernel};
  unpack.options = WriteFlexBufferMap(
      {{"bits", c.bits}, {"inner", c.inner}, {"lowest", c.lowest}, {"step", c.step}});
  testing::FakeNode convolve;  // the runtime's
  convolve.op = "SomeoneElses";
  convolve.inputs = {kKernel};
  graph.nodes = {unpack, convolve};
  return graph;
}

const std::vector<std::vector<float>> kRows = {{0.3f}, {-1.7f}, {0.0f}, {1e-3f}};

std::vector<Case> FloatCases() {
  std::vector<Case> cases;
  for (int bits = 1; bits <= 8; ++bits) {
    Case grid;
    grid.bits = bits;
    grid.lowest = -(1 << bits) + 1;
    grid.step = 2;
    grid.scales = kRows;
    cases.push_back(grid);
  }
  Case powers;  // as incremental network quantization has them
  powers.bits = 3;
  powers.table = {{-4}, {-2}, {-1}, {0}, {1}, {2}, {4}};
  powers.scales = {{0.125f}};
  cases.push_back(powers);
  Case bases;  // two learned scales a channel, and a depthwise kernel's order
  bases.inner = 1;
  bases.shape = {1, 3, 5, 4};
  bases.table = {{-1, -1}, {1, -1}, {-1, 1}, {1, 1}};
  bases.scales = {{0.7f, 0.1f}, {0.33f, 0.2f}, {3.0f, 1.1f}, {0.9f, 0.9f}};
  cases.push_back(bases);
  return cases;
}

TEST(UnpackWeights, GivesTheRuntimeAConstant) {
  for (const Case& c : FloatCases()) {
    SCOPED_TRACE(c.bits);
    const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
    FakeRuntime runtime(Graph(c));
    ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
    // Before anything is allocated, since other delegates look for constants now.
    const TfLiteTensor& kernel = runtime.tensor(kKernel);
    ASSERT_EQ(kernel.allocation_type, kTfLiteMmapRo);
    ASSERT_EQ(kernel.bytes, c.Count() * sizeof(float));
    const auto* values = static_cast<const float*>(kernel.data);
    const std::vector<int> numbers = Numbers(c.Count(), c.Levels());
    for (int i = 0; i < c.Count(); ++i) {
      const auto& scale = c.scales[i / c.inner % c.scales.size()];
      float expected = 0.0f;  // a first sum of 0 + x is x, but for the sign of a zero
      for (std::size_t t = 0; t < scale.size(); ++t) {
        const int code = c.table.empty() ? c.lowest + c.step * numbers[i] : c.table[numbers[i]][t];
        const volatile float product = float(code) * scale[t];
        expected = expected + product;
      }
      ASSERT_EQ(values[i], expected) << "weight " << i;
    }
    EXPECT_GE(delegate->Report().packed_bytes, 0u);
    ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
    ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
    EXPECT_EQ(runtime.tensor(kKernel).data, values);
    EXPECT_GE(delegate->Report().packed_bytes, c.Count() * sizeof(float));
  }
}

TEST(UnpackWeights, GivesIntegersToInt8) {
  Case c;
  c.bits = 4;
  c.lowest = -8;
  const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
  FakeRuntime runtime(Graph(c));
  ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
  const auto* values = static_cast<const std::int8_t*>(runtime.tensor(kKernel).data);
  ASSERT_EQ(runtime.tensor(kKernel).bytes, std::size_t(c.Count()));
  for (int i = 0; i < c.Count(); ++i) ASSERT_EQ(values[i], -8 + Numbers(c.Count(), 16)[i]);
}

Case Ternary() {
  Case c;
  c.table = {{-1}, {0}, {1}};
  c.scales = kRows;
  return c;
}

std::function<void(FakeGraph&)> Option(const char* name, std::int64_t value) {
  return [=](FakeGraph& graph) {
    Options options = {{"bits", 2}, {"inner", 6}, {"lowest", 0}, {"step", 1}};
    options[name] = value;
    graph.nodes[0].options = WriteFlexBufferMap(options, 8);
  };
}

struct Refusal {
  const char* name;
  std::function<void(FakeGraph&)> spoil;
  const char* message;
};

const Refusal kRefusals[] = {
    {"no bits", Option("bits", 0), "'bits' is 0, not 1 to 8"},
    {"nine bits", Option("bits", 9), "'bits' is 9"},
    {"rows of nothing", Option("inner", 0), "'inner' is 0"},
    {"other rows", Option("inner", 4), "24 weights are no multiple of 4 rows of 4"},
    {"step of zero", Option("step", 0), "'step' is 0"},
    {"huge offset", Option("lowest", -(1 << 25)), "'lowest' is -33554432"},
    {"unknown option", Option("zero_point", 1), "options that tfkit does not know"},
    {"no options", [](FakeGraph& g) { g.nodes[0].options.clear(); }, "options are missing"},
    {"fewer words", [](FakeGraph& g) { g.tensors[kWords].shape = {1}; },
     "1 words, not the 2 that 48 bits fill"},
    {"fewer bytes", [](FakeGraph& g) { g.tensors[kWords].data.resize(7); }, "fewer data"},
    {"words that are no constant", [](FakeGraph& g) { g.tensors[kWords].constant = false; },
     "its weights is not a constant"},
    {"level 3 of 3", [](FakeGraph& g) { g.tensors[kWords].data[0] |= 3; }, "the level 3 of 3"},
    {"too many levels",
     [](FakeGraph& g) {
       g.tensors[kLevels] = Constant<std::int32_t>(kTfLiteInt32, {5, 1}, {1, 2, 3, 4, 5});
     },
     "its levels have the shape [5, 1], at most [4, 8]"},
    {"too many terms",
     [](FakeGraph& g) {
       g.tensors[kLevels] =
           Constant<std::int32_t>(kTfLiteInt32, {1, 9}, std::vector<std::int32_t>(9));
     },
     "at most [4, 8]"},
    {"level beyond floats",
     [](FakeGraph& g) {
       g.tensors[kLevels] = Constant<std::int32_t>(kTfLiteInt32, {3, 1}, {0, 1, (1 << 24) + 1});
     },
     "beyond 2^24"},
    {"levels of rank 1", [](FakeGraph& g) { g.tensors[kLevels].shape = {3}; }, "not of rank 2"},
    {"no scales", [](FakeGraph& g) { g.nodes[0].inputs[2] = -1; }, "does not exist"},
    {"scales of other terms", [](FakeGraph& g) { g.tensors[kScales].shape = {2, 2}; },
     "its scales has the shape [2, 2], not [2, 1]"},
    {"int8 with scales", [](FakeGraph& g) { g.tensors[kKernel].type = kTfLiteInt8; }, "no scales"},
    {"level beyond int8",
     [](FakeGraph& g) {
       g.tensors[kKernel].type = kTfLiteInt8;
       g.nodes[0].inputs[2] = -1;
       g.tensors[kLevels] = Constant<std::int32_t>(kTfLiteInt32, {3, 1}, {0, 1, 128});
     },
     "a weight is 128"},
    {"int32 output", [](FakeGraph& g) { g.tensors[kKernel].type = kTfLiteInt32; },
     "neither float32 nor int8"},
    {"constant output", [](FakeGraph& g) { g.tensors[kKernel].constant = true; },
     "a constant or a variable"},
    {"huge output", [](FakeGraph& g) { g.tensors[kKernel].shape = {1 << 30, 1 << 30, 4}; },
     "too large"},
    {"output of nothing", [](FakeGraph& g) { g.tensors[kKernel].shape = {4, 0}; }, "[4, 0]"},
    {"missing input", [](FakeGraph& g) { g.nodes[0].inputs.pop_back(); }, "2 inputs"},
    {"version 2", [](FakeGraph& g) { g.nodes[0].version = 2; }, "version 2"},
    {"written twice", [](FakeGraph& g) { g.nodes.insert(g.nodes.begin(), g.nodes[0]); },
     "written by another node"},
};

TEST(UnpackWeights, RefusesWithANameAndAReason) {
  for (const Refusal& refusal : kRefusals) {
    SCOPED_TRACE(refusal.name);
    FakeGraph graph = Graph(Ternary());
    refusal.spoil(graph);
    const auto delegate = std::make_shared<Delegate>(tfkit::Options{});
    FakeRuntime runtime(graph);
    EXPECT_FALSE(runtime.Apply(delegate->handle()));
    EXPECT_NE(runtime.errors().find(refusal.message), std::string::npos) << runtime.errors();
    EXPECT_EQ(runtime.errors().find("TfkitDelegate: cannot run node"), 0u) << runtime.errors();
  }
}

}  // namespace
}  // namespace tfkit
