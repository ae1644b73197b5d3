// libFuzzer's target: any graph ends in a clear error or in the same bits from every kernel.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "delegate/delegate.h"
#include "fuzz/graph_code.h"
#include "kernels/names.h"
#include "tests/fake_runtime.h"

namespace tfkit::fuzz {
namespace {

// Small, so that the slowest kernel takes milliseconds.
constexpr std::int64_t kMaxTensorBytes = 1 << 15;

struct Outcome {
  std::vector<int> claimed;  // nodes
  std::vector<std::vector<std::uint8_t>> outputs;
};

// KernelNames as a list.
std::vector<std::string> Names() {
  std::vector<std::string> names;
  const std::string joined = KernelNames();
  for (std::size_t start = 0; start < joined.size();) {
    const std::size_t end = std::min(joined.find(", ", start), joined.size());
    names.push_back(joined.substr(start, end - start));
    start = end + 2;
  }
  return names;
}

[[noreturn]] void Fail(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

bool Contains(const std::vector<int>& list, int value) {
  for (int element : list) {
    if (element == value) return true;
  }
  return false;
}

// Whether a binary tensor comes from outside: its unused bits may then hold anything, and kernels
// may count them differently.
bool ReadsBits(const testing::FakeGraph& graph) {
  for (int i = 0; i < static_cast<int>(graph.tensors.size()); ++i) {
    if (graph.tensors[i].type != kTfLiteInt32) continue;
    bool written = false;
    bool read = false;
    for (const testing::FakeNode& node : graph.nodes) {
      // The runtime's own ops produce no bits: a node that would is left to the runtime.
      const bool ours = node.op != "SomeoneElses" && node.builtin_code == kTfLiteBuiltinCustom;
      written = written || (ours && Contains(node.outputs, i));
      read = read || (ours && !node.inputs.empty() && node.inputs[0] == i);
    }
    if (read && !written) return true;
  }
  return false;
}

// Of several NaNs it is the processor's choice, and the compiler's order of operands, whose bits a
// sum of products gets: any is as good. Sums of two have been the same so far.
bool AnyNanWillDo(const testing::FakeGraph& graph) {
  for (const testing::FakeNode& node : graph.nodes) {
    if (node.builtin_code == kTfLiteBuiltinConv2d ||
        node.builtin_code == kTfLiteBuiltinFullyConnected) {
      return true;
    }
  }
  return false;
}

void MakeNansAlike(std::vector<std::uint8_t>& bytes) {
  for (std::size_t i = 0; i + sizeof(float) <= bytes.size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, &bytes[i], sizeof value);
    if (!std::isnan(value)) continue;
    value = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(&bytes[i], &value, sizeof value);
  }
}

void Fill(testing::FakeRuntime& runtime, const testing::FakeGraph& graph, std::uint32_t seed) {
  std::uint64_t state = seed * 2654435761u + 1;
  for (int i = 0; i < static_cast<int>(graph.tensors.size()); ++i) {
    TfLiteTensor& tensor = runtime.tensor(i);
    if (graph.tensors[i].constant || !tensor.data) continue;
    auto* bytes = static_cast<std::uint8_t*>(tensor.data);
    for (std::size_t byte = 0; byte < tensor.bytes; ++byte) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes[byte] = static_cast<std::uint8_t>(state >> 56);
    }
  }
}

// With the outputs after every shape that the runtime and the delegate accept, if any was.
Outcome Run(const Scenario& scenario, const std::string& kernel, int threads) {
  Options options;
  options.kernel = kernel;
  options.num_threads = threads;
  options.profile = scenario.seed % 2 != 0;
  // One for all runs with it would hide leaks.
  const auto delegate = std::make_shared<Delegate>(options);
  testing::FakeRuntime runtime(scenario.graph, kMaxTensorBytes);
  if (!runtime.Apply(delegate->handle())) {
    if (runtime.errors().find("TfkitDelegate: ") != 0) Fail("refused without a reason");
    return {};
  }
  Outcome outcome{runtime.claimed_nodes(), {}};
  if (!runtime.claimed()) return outcome;
  const bool any_nan = AnyNanWillDo(scenario.graph);
  std::vector<Resize> resizes = scenario.resizes;
  resizes.insert(resizes.begin(), Resize{-1, {}});
  for (const Resize& resize : resizes) {
    const int tensors = static_cast<int>(scenario.graph.tensors.size());
    if (resize.tensor >= tensors) continue;
    if (resize.tensor >= 0 && !scenario.graph.tensors[resize.tensor].constant &&
        !runtime.ResizeInput(resize.tensor, resize.shape)) {
      continue;
    }
    if (!runtime.Allocate()) continue;
    Fill(runtime, scenario.graph, scenario.seed);
    if (!runtime.Invoke()) continue;
    for (int output : scenario.graph.outputs) {
      if (output < 0 || output >= tensors) continue;
      const TfLiteTensor& tensor = runtime.tensor(output);
      if (!tensor.data) continue;
      const auto* bytes = static_cast<const std::uint8_t*>(tensor.data);
      outcome.outputs.emplace_back(bytes, bytes + tensor.bytes);
      if (tensor.type == kTfLiteFloat32 && any_nan) MakeNansAlike(outcome.outputs.back());
    }
  }
  delegate->Report();
  return outcome;
}

}  // namespace
}  // namespace tfkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tfkit::fuzz;
  static const std::vector<std::string> names = Names();
  const Scenario scenario = Decode(bytes, size);
  const int forced = scenario.kernel % static_cast<int>(names.size() + 1);
  const std::string kernel = forced == 0 ? "" : names[forced - 1];
  const Outcome outcome = Run(scenario, kernel, scenario.threads);
  if (outcome.outputs.empty() || ReadsBits(scenario.graph)) return 0;
  const Outcome reference = Run(scenario, "reference", 1);
  // Which of the runtime's nodes are taken depends on the kernel; nobody runs the others here.
  if (outcome.claimed != reference.claimed) return 0;
  if (outcome.outputs != reference.outputs) Fail("kernel '" + kernel + "' gives other bits");
  return 0;
}
