// Loading, running and resizing what the delegate claims.
#include "delegate/delegate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "tests/chain_graph.h"
#include "tests/packing.h"

namespace tfkit {
namespace {

using namespace ::tfkit::testing;  // the chain and its tensors

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
      FakeGraph graph = Chain();
      graph.outputs = {kConvolved, kPooled, kOutput};
      FakeRuntime runtime(graph);
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
      // Scratch grows with the threads: one pixel's sums each. All tensors find room in outputs.
      const DelegateReport report = shared->Report();
      EXPECT_EQ(report.arena_bytes, 0u);
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
  const TfLiteSparsity sparsity{};
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
  const auto expected = Pack(signs, kChannels);
  ASSERT_EQ(runtime.tensor(kSigns).bytes, expected.size() * 4);
  EXPECT_EQ(std::memcmp(runtime.tensor(kSigns).data, expected.data(), expected.size() * 4), 0);
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

}  // namespace
}  // namespace tfkit
