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
constexpr int kMaxDimensions = 2 * kMaxRank;
constexpr int kMaxIndices = 255;

const TfLiteType kTypes[] = {
    kTfLiteFloat32, kTfLiteInt32, kTfLiteInt8, kTfLiteNoType, static_cast<TfLiteType>(77),
    kTfLiteInt16};
const char* const kOps[] = {"LceQuantize",        "LceBconv2d",
                            "LceBMaxPool2d",      "LceDequantize",
                            "SomeoneElses",       "ADD",
                            "TfkitKBitConv2D",    "TfkitKBitDense",
                            "TfkitKBitQuantize",  "TfkitUnpackWeights",
                            "TfkitKBitMaxPool2D", "CONV_2D",
                            "FULLY_CONNECTED",    "DENSIFY"};

class Reader {
 public:
  Reader(const std::uint8_t* bytes, std::size_t size) : next_(bytes), end_(bytes + size) {}

  template <typename T>
  T Number() {
    T value{};
    const std::size_t size = std::min<std::size_t>(sizeof value, end_ - next_);
    if (size != 0) std::memcpy(&value, next_, size);  // of nothing there is no address
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

testing::FakeSparsity ReadSparsity(Reader& reader) {
  testing::FakeSparsity sparsity;
  sparsity.traversal_order = reader.Integers<std::int8_t>(kMaxDimensions);
  sparsity.block_map = reader.Integers<std::int8_t>(kMaxDimensions);
  for (int i = reader.Count(kMaxDimensions); i > 0; --i) {
    testing::FakeSparsity::Dimension dimension;
    dimension.format = reader.Number<std::int8_t>();
    dimension.dense_size = reader.Number<std::int32_t>();
    dimension.segments = reader.Integers<std::int16_t>(kMaxIndices);
    dimension.indices = reader.Integers<std::int16_t>(kMaxIndices);
    sparsity.dimensions.push_back(dimension);
  }
  return sparsity;
}

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
  tensor.sparse = (flags & (4 | 16)) != 0;
  tensor.variable = (flags & 8) != 0;
  if ((flags & 16) != 0) tensor.sparsity = ReadSparsity(reader);
  return tensor;
}

// Of the runtime's own ops the options are single bytes, in the order of abi/tflite.h; 0 for those
// that are missing.
void ReadBuiltin(testing::FakeNode& node) {
  Reader options(node.options.data(), node.options.size());
  const auto next = [&] { return options.Number<std::int8_t>(); };
  if (node.op == "ADD") {
    node.builtin_code = kTfLiteBuiltinAdd;
    node.add.activation = next();
  } else if (node.op == "CONV_2D") {
    node.builtin_code = kTfLiteBuiltinConv2d;
    TfLiteConvParams& conv = node.conv;
    for (int* option : {&conv.padding, &conv.stride_width, &conv.stride_height, &conv.activation,
                        &conv.dilation_width_factor, &conv.dilation_height_factor}) {
      *option = next();
    }
  } else if (node.op == "FULLY_CONNECTED") {
    node.builtin_code = kTfLiteBuiltinFullyConnected;
    node.fully_connected.activation = next();
    node.fully_connected.weights_format = next();
    node.fully_connected.keep_num_dims = next() != 0;
  } else if (node.op == "DENSIFY") {
    node.builtin_code = kTfLiteBuiltinDensify;
  }
}

testing::FakeNode ReadNode(Reader& reader) {
  testing::FakeNode node;
  node.op = kOps[reader.Count(std::size(kOps) - 1)];
  node.version = reader.Number<std::uint8_t>();
  node.inputs = reader.Integers<std::int8_t>(kMaxInputs);
  node.outputs = reader.Integers<std::int8_t>(kMaxInputs);
  node.options = reader.Bytes();
  ReadBuiltin(node);
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
