// Random damage to a graph.
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>

#include "delegate/delegate.h"
#include "tests/chain_graph.h"
#include "tests/random.h"

namespace tfkit {
namespace {

using namespace ::tfkit::testing;  // the chain and its tensors

// Mutated graphs: an error or a run, never a fault (the sanitizers' job) and never an exception.
TEST(Delegate, SurvivesMutatedGraphs) {
  const int values[] = {-2, -1, 0, 1, 2, 3, 7, 8, 31, 32, 33, 40, 99, INT32_MAX, INT32_MIN};
  const TfLiteType types[] = {kTfLiteNoType, kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8};
  Random random(99);
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
