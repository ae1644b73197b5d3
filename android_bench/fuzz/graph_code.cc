#include "fuzz/graph_code.h"

#include <algorithm>
#include <cstring>

namespace tfkit::fuzz {
namespace {

// More only makes each run slower.
constexpr int kMaxTensors = 24;
constexpr int kMaxNodes = 12;
constexpr int kMaxRank = 6;
constexpr int kMaxInputs = 8;
constexpr int kMaxResizes = 3;

const TfLiteType kTypes[] = {
    kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8, kTfLiteNoType, static_cast<TfLiteType>(77),
    kTfLiteInt16};
const char* const kOps[] = {"LceQuantize",        "LceBconv2d",        "LceBMaxPool2d",
                            "LceDequantize",      "SomeoneElses",      "ADD",
                            "TfkitKBitConv2D",    "TfkitKBitDense",    "TfkitKBitQuantize",
                            "TfkitUnpackWeights", "TfkitKBitMaxPool2D"};

class Reader {
 public:
  Reader(const std::uint8_t* bytes, std::size_t size) : next_(bytes), end_(bytes + size) {}

  template <typename T>
  T Number() {
    T value{};
    const std::size_t size = std::min<std::size_t>(sizeof value, end_ - next_);
    std::memcpy(&value, next_, size);
    next_ += size;
    return value;
  }
  // In [0, most].
  int Count(int most) { return Number<std::uint8_t>() % (most + 1); }
  template <typename Stored>
  std::vector<int> Integers(int most) {
    std::vector<int> values(Count(most));
    for (int& value : values) value = Number<Stored>();
    return values;
  }
  std::vector<std::uint8_t> Bytes() {
    const std::size_t size = std::min<std::size_t>(Number<std::uint16_t>(), end_ - next_);
    std::vector<std::uint8_t> bytes(next_, next_ + size);
    next_ += size;
    return bytes;
  }

 private:
  const std::uint8_t* next_;
  const std::uint8_t* end_;
};

testing::FakeTensor ReadTensor(Reader& reader) {
  testing::FakeTensor tensor;
  tensor.type = kTypes[reader.Count(std::size(kTypes) - 1)];
  const int flags = reader.Number<std::uint8_t>();
  tensor.shape = reader.Integers<std::int32_t>(kMaxRank);
  const float scale = reader.Number<float>();
  tensor.zero_point = reader.Number<std::int32_t>();
  tensor.data = reader.Bytes();
  tensor.constant = (flags & 1) != 0;
  tensor.scale = (flags & 2) != 0 ? scale : 0;
  tensor.sparse = (flags & 4) != 0;
  tensor.variable = (flags & 8) != 0;
  return tensor;
}

testing::FakeNode ReadNode(Reader& reader) {
  testing::FakeNode node;
  node.op = kOps[reader.Count(std::size(kOps) - 1)];
  node.version = reader.Number<std::uint8_t>();
  node.inputs = reader.Integers<std::int8_t>(kMaxInputs);
  node.outputs = reader.Integers<std::int8_t>(kMaxInputs);
  node.options = reader.Bytes();
  if (node.op == "ADD") {
    node.builtin_code = kTfLiteBuiltinAdd;
    if (!node.options.empty()) node.add.activation = node.options[0];
  }
  return node;
}

}  // namespace

Scenario Decode(const std::uint8_t* bytes, std::size_t size) {
  Reader reader(bytes, size);
  Scenario scenario;
  scenario.kernel = reader.Number<std::uint8_t>();
  scenario.threads = reader.Count(4);
  scenario.seed = reader.Number<std::uint32_t>();
  for (int i = reader.Count(kMaxTensors); i > 0; --i) {
    scenario.graph.tensors.push_back(ReadTensor(reader));
  }
  for (int i = reader.Count(kMaxNodes); i > 0; --i) {
    scenario.graph.nodes.push_back(ReadNode(reader));
  }
  scenario.graph.outputs = reader.Integers<std::int8_t>(kMaxInputs);
  for (int i = reader.Count(kMaxResizes); i > 0; --i) {
    const int tensor = reader.Number<std::uint8_t>();
    scenario.resizes.push_back({tensor, reader.Integers<std::int32_t>(kMaxRank)});
  }
  return scenario;
}

}  // namespace tfkit::fuzz
