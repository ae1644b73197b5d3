// The runtime's ADDs that the delegate runs behind binary convolutions.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "delegate/delegate.h"
#include "kernels/names.h"
#include "tests/chain_graph.h"
#include "tests/flexbuffer_writer.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using namespace ::tfkit::testing;

constexpr int kSide = 6;
constexpr int kDepth = 40;  // channels of every image
const std::vector<int> kImageShape = {1, kSide, kSide, kDepth};
const std::vector<int> kBitsShape = {1, kSide, kSide, 2};

enum ResidualTensors {
  kImage,
  kImageSigns,
  kWeights,
  kFirst,
  kFirstSum,
  kFirstSigns,
  kSecond,
  kSecondSum,
};
enum ResidualNodes {
  kQuantizeImage,
  kConvolveImage,
  kAddFirst,
  kQuantizeFirst,
  kConvolveFirst,
  kAddSecond
};

FakeNode Add(int a, int b, int sum) {
  FakeNode node{"", {a, b}, {sum}, {}};
  node.builtin_code = kTfLiteBuiltinAdd;
  return node;
}

// Two residual blocks: the image plus the 3x3 convolution of its signs.
FakeGraph Residual() {
  OptionMap options = ConvolutionOptions();
  options["channels_in"] = kDepth;
  const auto encoded = WriteFlexBufferMap(options);
  const std::vector<int> filter = Random(5).Signs(kDepth * 9 * kDepth);
  FakeGraph graph;
  graph.tensors = {
      Activation(kTfLiteFloat32, kImageShape),
      Activation(kTfLiteInt32, kBitsShape),
      Constant(kTfLiteInt32, {kDepth, 3, 3, 2}, Pack(filter, kDepth)),
      Activation(kTfLiteFloat32, kImageShape),
      Activation(kTfLiteFloat32, kImageShape),
      Activation(kTfLiteInt32, kBitsShape),
      Activation(kTfLiteFloat32, kImageShape),
      Activation(kTfLiteFloat32, kImageShape),
  };
  graph.nodes = {
      {"LceQuantize", {kImage}, {kImageSigns}, {}},
      {"LceBconv2d", {kImageSigns, kWeights, -1, -1, -1}, {kFirst}, encoded},
      Add(kImage, kFirst, kFirstSum),
      {"LceQuantize", {kFirstSum}, {kFirstSigns}, {}},
      {"LceBconv2d", {kFirstSigns, kWeights, -1, -1, -1}, {kSecond}, encoded},
      Add(kSecond, kFirstSum, kSecondSum),
  };
  graph.outputs = {kSecondSum};
  return graph;
}

// One block, by definition; pixels outside the image count as +1.
std::vector<float> Block(const std::vector<float>& image, int batch) {
  const std::vector<int> filter = Random(5).Signs(kDepth * 9 * kDepth);
  std::vector<float> sums;
  for (int n = 0; n < batch; ++n)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        for (int oc = 0; oc < kDepth; ++oc) {
          int sum = 0;
          for (int tap = 0; tap < 9; ++tap)
            for (int c = 0; c < kDepth; ++c) {
              const int iy = y + tap / 3 - 1, ix = x + tap % 3 - 1;
              const bool inside = iy >= 0 && ix >= 0 && iy < kSide && ix < kSide;
              const bool negative =
                  inside && image[((n * kSide + iy) * kSide + ix) * kDepth + c] < 0;
              sum += (negative ? -1 : 1) * filter[(oc * 9 + tap) * kDepth + c];
            }
          sums.push_back(image[((n * kSide + y) * kSide + x) * kDepth + oc] + sum);
        }
  return sums;
}

std::vector<std::string> ReportedOps(const Delegate& delegate) {
  std::vector<std::string> ops;
  for (const NodeReport& node : delegate.Report().nodes) ops.push_back(node.op);
  return ops;
}

TEST(DelegateGlue, ResidualBlocksRunAsOne) {
  for (const char* kernel : {"", "reference", "portable", "avx2_lut"}) {
    for (int threads : {1, 3}) {
      Options options;
      options.kernel = IsKernelName(kernel) ? kernel : "";
      options.num_threads = threads;
      options.profile = threads == 3;
      const auto delegate = std::make_shared<Delegate>(options);
      FakeRuntime runtime(Residual());
      ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
      for (int batch : {1, 9, 2}) {
        runtime.ResizeInput(kImage, {batch, kSide, kSide, kDepth});
        ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
        const std::vector<float> image = FillInput(runtime, batch, kImage);
        ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
        EXPECT_EQ(ReadOutput(runtime, kSecondSum), Block(Block(image, batch), batch))
            << kernel << ", batch " << batch;
      }
      EXPECT_EQ(ReportedOps(*delegate),
                (std::vector<std::string>{"LceQuantize", "LceBconv2d", "ADD", "LceQuantize",
                                          "LceBconv2d", "ADD"}));
      if (options.profile) {
        for (const NodeReport& node : delegate->Report().nodes) EXPECT_EQ(node.invocations, 3u);
      }
    }
  }
}

// The image is the runtime's and stays as it is; of the sums one is in memory at a time. Behind a
// kernel that writes row by row, which the reference does and whatever runs by default need not,
// that is all; else the convolution's output is there too.
TEST(DelegateGlue, KeepsOneImage) {
  for (const char* kernel : {"reference", ""}) {
    Options options;
    options.kernel = kernel;
    const auto delegate = std::make_shared<Delegate>(options);
    FakeGraph graph = Residual();
    graph.nodes.push_back({"LceQuantize", {kSecondSum}, {kFirstSigns + 3}, {}});
    graph.tensors.push_back(Activation(kTfLiteInt32, kBitsShape));
    graph.outputs = {kFirstSigns + 3};
    FakeRuntime runtime(graph);
    ASSERT_TRUE(runtime.Apply(delegate->handle()) && runtime.Allocate()) << runtime.errors();
    const std::vector<float> image = FillInput(runtime, 1, kImage);
    ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
    EXPECT_EQ(ReadOutput(runtime, kImage), image);
    const std::size_t image_bytes = kSide * kSide * kDepth * sizeof(float);
    const std::size_t bits_bytes = kSide * kSide * 2 * sizeof(std::uint32_t);
    const std::size_t images = *kernel != 0 ? 1 : 2;
    EXPECT_LE(delegate->Report().arena_bytes, images * image_bytes + 2 * (bits_bytes + 64))
        << kernel;
  }
}

// Where the runtime wants the last sum, no memory is needed for those before it, nor for what a
// kernel that does not write row by row convolves.
TEST(DelegateGlue, SumsLieInTheOutput) {
  for (const char* kernel : {"reference", "portable", "avx2_lut", ""}) {
    if (*kernel != 0 && !IsKernelName(kernel)) continue;
    Options options;
    options.kernel = kernel;
    const auto delegate = std::make_shared<Delegate>(options);
    FakeGraph graph = Residual();
    graph.outputs = {kSecondSum, kSecond};
    FakeRuntime runtime(graph);
    ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
    for (int batch : {2, 1}) {
      runtime.ResizeInput(kImage, {batch, kSide, kSide, kDepth});
      ASSERT_TRUE(runtime.Allocate()) << runtime.errors();
      const std::vector<float> image = FillInput(runtime, batch, kImage);
      ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
      EXPECT_EQ(ReadOutput(runtime, kSecondSum), Block(Block(image, batch), batch)) << kernel;
      EXPECT_EQ(ReadOutput(runtime, kImage), image) << kernel;
      const std::size_t bits_bytes = batch * kSide * kSide * 2 * sizeof(std::uint32_t);
      EXPECT_LE(delegate->Report().arena_bytes, 2 * (bits_bytes + 64)) << kernel;
    }
  }
}

TEST(DelegateGlue, ASumThatOthersReadIsTheirs) {
  FakeGraph graph = Residual();
  graph.outputs = {kSecondSum, kFirstSum, kFirst};
  const auto delegate = std::make_shared<Delegate>(Options{});
  FakeRuntime runtime(graph);
  ASSERT_TRUE(runtime.Apply(delegate->handle()) && runtime.Allocate()) << runtime.errors();
  const std::vector<float> image = FillInput(runtime, 1, kImage);
  ASSERT_TRUE(runtime.Invoke()) << runtime.errors();
  const std::vector<float> first = Block(image, 1);
  EXPECT_EQ(ReadOutput(runtime, kFirstSum), first);
  EXPECT_EQ(ReadOutput(runtime, kSecondSum), Block(first, 1));
}

struct Leaving {
  const char* name;
  std::function<void(FakeGraph&)> change;
};

// What the runtime's ADD can be and the delegate's is not stays with the runtime.
TEST(DelegateGlue, LeavesOtherAddsToTheRuntime) {
  const Leaving cases[] = {
      {"activation", [](FakeGraph& g) { g.nodes[kAddFirst].add.activation = 1; }},
      {"broadcast", [](FakeGraph& g) { g.tensors[kImage].shape = {1, 1, 1, kDepth}; }},
      {"int8", [](FakeGraph& g) { g.tensors[kFirstSum].type = kTfLiteInt8; }},
      {"constant",
       [](FakeGraph& g) {
         g.tensors.push_back(Constant(kTfLiteFloat32, kImageShape,
                                      std::vector<float>(kSide * kSide * kDepth, 1.0f)));
         g.nodes[kAddFirst].inputs[0] = static_cast<int>(g.tensors.size()) - 1;
       }},
      {"no binary convolution", [](FakeGraph& g) { g.nodes[kAddFirst].inputs[1] = kImage; }},
      {"three inputs", [](FakeGraph& g) { g.nodes[kAddFirst].inputs.push_back(kImage); }},
      {"an absent input", [](FakeGraph& g) { g.nodes[kAddFirst].inputs[0] = -1; }},
      {"an input that does not exist", [](FakeGraph& g) { g.nodes[kAddFirst].inputs[0] = 99; }},
      {"an output that another node writes",
       [](FakeGraph& g) { g.nodes.push_back({"SomeoneElses", {kImage}, {kFirstSum}, {}}); }},
      {"someone else's op of that name",
       [](FakeGraph& g) {
         g.nodes[kAddFirst].builtin_code = kTfLiteBuiltinCustom;
         g.nodes[kAddFirst].op = "ADD";
       }},
  };
  for (const Leaving& leaving : cases) {
    SCOPED_TRACE(leaving.name);
    FakeGraph graph = Residual();
    graph.nodes.resize(kAddFirst + 1);
    leaving.change(graph);
    const auto delegate = std::make_shared<Delegate>(Options{});
    FakeRuntime runtime(graph);
    ASSERT_TRUE(runtime.Apply(delegate->handle())) << runtime.errors();
    ASSERT_TRUE(runtime.claimed());
    EXPECT_EQ(runtime.claimed_nodes(), (std::vector<int>{kQuantizeImage, kConvolveImage}));
  }
}

// Equal when the model was loaded, but not after a resize.
TEST(DelegateGlue, RefusesShapesThatNoLongerFit) {
  FakeGraph graph = Residual();
  graph.tensors.push_back(Activation(kTfLiteFloat32, kImageShape));
  const int other = static_cast<int>(graph.tensors.size()) - 1;
  graph.nodes[kAddFirst].inputs = {other, kFirst};
  const auto delegate = std::make_shared<Delegate>(Options{});
  FakeRuntime runtime(graph);
  ASSERT_TRUE(runtime.Apply(delegate->handle()) && runtime.Allocate()) << runtime.errors();
  runtime.ResizeInput(kImage, {2, kSide, kSide, kDepth});
  EXPECT_FALSE(runtime.Allocate());
  EXPECT_NE(runtime.errors().find("node 2 (ADD): its inputs have the shapes [1, 6, 6, 40] and "
                                  "[2, 6, 6, 40]"),
            std::string::npos)
      << runtime.errors();
  runtime.ResizeInput(other, {2, kSide, kSide, kDepth});
  EXPECT_TRUE(runtime.Allocate());
}

}  // namespace
}  // namespace tfkit
