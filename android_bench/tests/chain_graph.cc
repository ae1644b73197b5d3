#include "tests/chain_graph.h"

#include <algorithm>

#include "tests/flexbuffer_writer.h"
#include "tests/packing.h"
#include "tests/random.h"

namespace tfkit::testing {

OptionMap ConvolutionOptions() {
  return {{"channels_in", kChannels},
          {"dilation_height_factor", 1},
          {"dilation_width_factor", 1},
          {"fused_activation_function", 0},
          {"pad_values", 1},
          {"padding", 0},
          {"stride_height", 1},
          {"stride_width", 1}};
}

OptionMap PoolOptions() {
  return {{"filter_height", 2},
          {"filter_width", 2},
          {"padding", 1},
          {"stride_height", 2},
          {"stride_width", 2}};
}

FakeTensor Activation(TfLiteType type, std::vector<int> shape) {
  FakeTensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  return tensor;
}

FakeGraph Chain() {
  Random random(7);
  const std::vector<int> filter = random.Signs(kOutputs * kChannels);
  FakeGraph graph;
  graph.tensors = {
      Activation(kTfLiteFloat32, {1, 4, 4, kChannels}),
      Activation(kTfLiteInt32, {1, 4, 4, 2}),
      Constant(kTfLiteInt32, {kOutputs, 1, 1, 2}, Pack(filter, kChannels)),
      Constant(kTfLiteInt32, {kOutputs}, std::vector<std::int32_t>(kOutputs, kChannels / 2)),
      Activation(kTfLiteInt32, {1, 4, 4, 2}),
      Activation(kTfLiteInt32, {1, 2, 2, 2}),
      Activation(kTfLiteFloat32, {1, 2, 2, kOutputs}),
      Constant(kTfLiteFloat32, {kOutputs}, std::vector<float>(kOutputs, 0.5f)),
  };
  graph.nodes = {
      {"LceQuantize", {kInput}, {kSigns}, {}},
      {"LceBconv2d",
       {kSigns, kFilter, -1, -1, kThreshold},
       {kConvolved},
       WriteFlexBufferMap(ConvolutionOptions())},
      {"LceBMaxPool2d", {kConvolved}, {kPooled}, WriteFlexBufferMap(PoolOptions())},
      {"LceDequantize", {kPooled}, {kOutput}, {}},
  };
  graph.outputs = {kOutput};
  return graph;
}

std::vector<float> ExpectedOutput(const std::vector<float>& input, int batch) {
  Random random(7);
  const std::vector<int> filter = random.Signs(kOutputs * kChannels);
  std::vector<float> output;
  for (int n = 0; n < batch; ++n)
    for (int oy = 0; oy < 2; ++oy)
      for (int ox = 0; ox < 2; ++ox)
        for (int oc = 0; oc < kOutputs; ++oc) {
          float maximum = -1;
          for (int k = 0; k < 4; ++k) {
            const int pixel = (n * 4 + 2 * oy + k / 2) * 4 + 2 * ox + k % 2;
            int sum = 0;
            for (int c = 0; c < kChannels; ++c) {
              sum += (input[pixel * kChannels + c] < 0 ? -1 : 1) * filter[oc * kChannels + c];
            }
            // (33 - sum) / 2 > 16, that is sum < 1
            maximum = std::max(maximum, sum < 1 ? -1.0f : 1.0f);
          }
          output.push_back(maximum);
        }
  return output;
}

std::vector<float> FillInput(FakeRuntime& runtime, std::uint64_t stream, int index) {
  Random random(stream);
  std::vector<float> input(runtime.tensor(index).bytes / sizeof(float));
  for (float& value : input) value = random.Float(-1, 1);
  std::memcpy(runtime.tensor(index).data, input.data(), runtime.tensor(index).bytes);
  return input;
}

std::vector<float> ReadOutput(FakeRuntime& runtime, int index) {
  const TfLiteTensor& tensor = runtime.tensor(index);
  std::vector<float> output(tensor.bytes / sizeof(float));
  std::memcpy(output.data(), tensor.data, tensor.bytes);
  return output;
}

}  // namespace tfkit::testing
