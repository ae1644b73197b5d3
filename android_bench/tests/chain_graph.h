// A small graph of every op of LCE, for tests of the delegate: quantize, a 1x1 convolution with
// bitpacked output, pooling and dequantize, in one partition.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/fake_runtime.h"

namespace tfkit::testing {

using OptionMap = std::map<std::string, std::int64_t>;

constexpr int kChannels = 33;  // of the input
constexpr int kOutputs = 40;

OptionMap ConvolutionOptions();
OptionMap PoolOptions();

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

FakeTensor Activation(TfLiteType, std::vector<int> shape);

enum Tensors { kInput, kSigns, kFilter, kThreshold, kConvolved, kPooled, kOutput, kMultiplier };
enum Nodes { kQuantize, kConvolve, kPool, kDequantize };

FakeGraph Chain();

// What the chain computes, by definition.
std::vector<float> ExpectedOutput(const std::vector<float>& input, int batch);

// Random values for the tensor `index`, which are returned too.
std::vector<float> FillInput(FakeRuntime&, std::uint64_t stream, int index = kInput);
std::vector<float> ReadOutput(FakeRuntime&, int index = kOutput);

}  // namespace tfkit::testing
