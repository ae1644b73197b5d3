// What the delegate tells of its nodes and memory.
#include <gtest/gtest.h>

#include <memory>

#include "delegate/delegate.h"
#include "delegate/report.h"
#include "tests/chain_graph.h"

namespace tfkit {
namespace {

using testing::Chain;
using testing::FakeRuntime;

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

// Inner tensors of the chain: the signs, which lie in the output until that is written, the
// convolved image, 4 x 4 x 2 words, and the pooled one beside it, 2 x 2 x 2 words.
TEST(Delegate, CountsItsMemory) {
  Options options;
  options.kernel = "reference";
  const auto shared = std::make_shared<Delegate>(options);
  Delegate& delegate = *shared;
  FakeRuntime runtime(Chain());
  ASSERT_TRUE(runtime.Apply(delegate.handle()) && runtime.Allocate()) << runtime.errors();
  const DelegateReport report = delegate.Report();
  EXPECT_EQ(report.arena_bytes, 4u * 4 * 2 * 4 + 64);
  // The reference keeps one pixel's sums, 40 int32, in the pooled image's place and beyond.
  EXPECT_EQ(report.workspace_bytes, 192u - 64);
  // The filter, 40 x 2 words, and the thresholds, padded to 64.
  EXPECT_EQ(report.packed_bytes, 40u * 2 * 4 + 64 * 4);
  FakeRuntime second(Chain());
  ASSERT_TRUE(second.Apply(delegate.handle()) && second.Allocate()) << second.errors();
  EXPECT_EQ(delegate.Report().arena_bytes, 2 * report.arena_bytes);
}

}  // namespace
}  // namespace tfkit
