#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/kbit_conv2d/select.h"

namespace tfkit {
namespace {

using kbit_conv2d::Code;
using kbit_conv2d::Filter;
using kbit_conv2d::PaddedChannels;

enum InputPosition { kActivations, kWeights, kScales, kBias, kInputs };

// Options that every node has, in this order.
const std::vector<const char*> kOptions = {"activation_lowest",
                                           "activation_planes",
                                           "activation_step",
                                           "bases",
                                           "channels_in",
                                           "channels_out",
                                           "dilation_height_factor",
                                           "dilation_width_factor",
                                           "kernel_height",
                                           "kernel_width",
                                           "pad_bits",
                                           "padding",
                                           "stride_height",
                                           "stride_width",
                                           "weight_lowest",
                                           "weight_planes",
                                           "weight_step"};

int InRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return value;
  throw Unsupported(std::string("the option '") + name + "' is " + std::to_string(value) +
                    ", not " + std::to_string(low) + " to " + std::to_string(high));
}

// Rough rates of one thread in products of single bits.
double BitsPerMicrosecond(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return 20e3;
    case Isa::kAvx512Vpopcntdq:
      return 900e3;
    default:
      return 60e3;
  }
}

// TfkitKBitConv2D on images, TfkitKBitDense on the last axis of anything.
class KBitConv2dOp : public Op {
 public:
  KBitConv2dOp(const NodeView& node, const std::string& forced_kernel, bool dense)
      : forced_kernel_(forced_kernel), dense_(dense) {
    node.ExpectCounts(kInputs, 1);
    if (node.Input(kActivations).type != kTfLiteInt32) throw Unsupported("its input is not int32");
    if (node.Output(0).type != kTfLiteFloat32) throw Unsupported("its output is not float32");
    ReadOptions(node);
    CheckSums();
    ReadConstants(node);
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    if (input.size() < 2 || (!dense_ && input.size() != 4) ||
        input.back() != filter_.InputWords()) {
      throw Unsupported("its input has the shape " + ToString(input) + ", not " +
                        (dense_ ? "2 or more" : "4") + " axes with " +
                        std::to_string(filter_.InputWords()) + " words of channels");
    }
    const std::size_t values = Elements(input);
    kbit_conv2d::Geometry geometry;
    geometry.filter = filter_;
    geometry.pad_bits = pad_bits_;
    Shape output = input;
    if (dense_) {
      const std::size_t places = values / input.back();
      if (places > std::size_t(std::numeric_limits<int>::max())) {
        throw Unsupported("its input of the shape " + ToString(input) + " is too large");
      }
      geometry.batch = 1;
      geometry.y = PlaceOrThrow(1, 1, 1, 1, Padding::kValid);
      geometry.x = PlaceOrThrow(static_cast<int>(places), 1, 1, 1, Padding::kValid);
    } else {
      geometry.batch = input[0];
      geometry.y =
          PlaceOrThrow(input[1], filter_.height, stride_height_, dilation_height_, padding_);
      geometry.x = PlaceOrThrow(input[2], filter_.width, stride_width_, dilation_width_, padding_);
      output[1] = geometry.y.output;
      output[2] = geometry.x.output;
    }
    output.back() = filter_.channels_out;
    Elements(output);

    const auto selection = kbit_conv2d::Select(geometry, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    if (kernel_ != selection.kernel) {
      packed_ = selection.kernel->pack(filter_, Stored().data());
      kernel_ = selection.kernel;
    }
    geometry_ = geometry;
    return output;
  }

  Work work() const override {
    const kbit_conv2d::Workspace words = kernel_->workspace(geometry_);
    Work work;
    work.units = {geometry_.OutputRows()};
    work.writes_parts = true;
    work.microseconds = static_cast<double>(geometry_.OutputRows()) * geometry_.x.output *
                        filter_.channels_out * filter_.Depth() * filter_.weights.planes *
                        filter_.activations.planes / BitsPerMicrosecond(kernel_->isa);
    work.shared_words = words.shared;
    work.own_words = words.own;
    work.packed_bytes =
        packed_.words.bytes() + packed_.tap_bits.bytes() + (scales_.size() + bias_.size()) * 4;
    return work;
  }

  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t* own) const override {
    const kbit_conv2d::Call call = {geometry_,
                                    packed_.words.data(),
                                    reinterpret_cast<const std::int32_t*>(packed_.tap_bits.data()),
                                    scales_.data(),
                                    bias_.data(),
                                    static_cast<const std::uint32_t*>(buffers.inputs[0]),
                                    static_cast<float*>(buffers.output)};
    kernel_->run(call, begin, end, own);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  void ReadOptions(const NodeView& node) {
    const std::vector<int> values = node.ReadOptions(kOptions);
    const auto option = [&](int at, int low, int high) {
      return InRange(kOptions[at], values[at], low, high);
    };
    constexpr int kMost = std::numeric_limits<int>::max();
    constexpr int kMostStep = 1 << 10;
    filter_.activations = {option(1, 1, kbit_conv2d::kMaxActivationPlanes), option(2, 1, kMostStep),
                           option(0, -kMostStep, kMostStep)};
    filter_.bases = option(3, 0, 1) == 1;
    filter_.channels_in = option(4, 1, kMost);
    filter_.channels_out = option(5, 1, kMost);
    dilation_height_ = option(6, 1, kMost);
    dilation_width_ = option(7, 1, kMost);
    filter_.height = option(8, 1, dense_ ? 1 : kMost);
    filter_.width = option(9, 1, dense_ ? 1 : kMost);
    pad_bits_ = option(10, -1, (1 << filter_.activations.planes) - 1);
    padding_ = PaddingOf(values[11]);
    stride_height_ = option(12, 1, dense_ ? 1 : kMost);
    stride_width_ = option(13, 1, dense_ ? 1 : kMost);
    filter_.weights = {option(15, 1, kbit_conv2d::kMaxPlanes), option(16, 1, kMostStep),
                       option(14, -kMostStep, kMostStep)};
  }

  // All that kernels add up on the way to a sum, in whatever order, must fit 32 bits.
  void CheckSums() const {
    const auto magnitude = [](const Code& code) {
      return std::int64_t{code.step} * ((1 << code.planes) - 1) + std::abs(code.lowest);
    };
    const std::int64_t largest = magnitude(filter_.weights) * magnitude(filter_.activations);
    // Words are counted whole by kernels that do not know their unused bits.
    const std::int64_t taps = std::int64_t{filter_.height} * filter_.width;
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() / 4;
    if (taps > kMost || taps * (std::int64_t{filter_.channels_in} + kWordBits) > kMost ||
        taps * (std::int64_t{filter_.channels_in} + kWordBits) * largest > kMost) {
      throw Unsupported("sums of " + std::to_string(filter_.height) + " x " +
                        std::to_string(filter_.width) + " x " +
                        std::to_string(filter_.channels_in) + " products of up to " +
                        std::to_string(largest) + " do not fit 32 bits");
    }
    if (filter_.channels_out > kMost) throw Unsupported("it has too many output channels");
  }

  void ReadConstants(const NodeView& node) {
    // Depth and channels are below 2^29 and planes at most 8, so this does not overflow.
    const std::int64_t bits = filter_.StoredBits();
    const std::int64_t words = PackedWords(bits);
    const Shape shape = node.ConstantShape(kWeights, "weights", kTfLiteInt32, 1);
    if (shape[0] != words) {
      throw Unsupported("its weights have " + std::to_string(shape[0]) + " words, not the " +
                        std::to_string(words) + " that " + std::to_string(bits) + " bits fill");
    }
    weights_ = node.ConstantData(kWeights);
    if (bits % kWordBits != 0 && Stored().back() >> (bits % kWordBits) != 0) {
      throw Unsupported("its weights have bits set beyond the last one");
    }
    const std::size_t padded = PaddedChannels(filter_.channels_out);
    const int channels = filter_.channels_out;
    const std::vector<float> scales =
        node.Constant<float>(kScales, "scales", {filter_.Terms(), channels});
    const std::vector<float> bias = node.Constant<float>(kBias, "bias", {channels});
    scales_.assign(filter_.Terms() * padded, 0.0f);
    bias_.assign(padded, 0.0f);
    for (int term = 0; term < filter_.Terms(); ++term) {
      std::memcpy(scales_.data() + term * padded, scales.data() + std::size_t(term) * channels,
                  channels * sizeof(float));
    }
    std::memcpy(bias_.data(), bias.data(), channels * sizeof(float));
  }

  // A copy, since the model's bytes need not be aligned.
  std::vector<std::uint32_t> Stored() const {
    std::vector<std::uint32_t> words(PackedWords(filter_.StoredBits()));
    std::memcpy(words.data(), weights_, words.size() * sizeof(std::uint32_t));
    return words;
  }

  const std::string forced_kernel_;
  const bool dense_;
  Filter filter_;
  const void* weights_ = nullptr;  // in the model, which outlives this
  int stride_height_ = 0;
  int stride_width_ = 0;
  int dilation_height_ = 0;
  int dilation_width_ = 0;
  int pad_bits_ = -1;
  Padding padding_ = Padding::kValid;
  std::vector<float> scales_;
  std::vector<float> bias_;
  kbit_conv2d::Geometry geometry_;
  const kbit_conv2d::Kernel* kernel_ = nullptr;
  kbit_conv2d::PackedFilter packed_;
};

}  // namespace

std::unique_ptr<Op> MakeKBitConv2dOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<KBitConv2dOp>(node, forced_kernel, false);
}

std::unique_ptr<Op> MakeKBitDenseOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<KBitConv2dOp>(node, forced_kernel, true);
}

}  // namespace tfkit
