#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/bconv2d/select.h"

namespace tfkit {
namespace {

using bconv2d::Activation;
using bconv2d::Filter;

enum InputPosition { kActivations, kFilter, kMultiplier, kBias, kThreshold, kInputs };

// The flatbuffer schema's ActivationFunctionType.
Activation ActivationOf(int code) {
  switch (code) {
    case 0:
      return Activation::kNone;
    case 1:
      return Activation::kRelu;
    case 2:
      return Activation::kReluN1To1;
    case 3:
      return Activation::kRelu6;
  }
  throw Unsupported("the option 'fused_activation_function' is " + std::to_string(code) +
                    ", not one of 0 (NONE), 1 (RELU), 2 (RELU_N1_TO_1), 3 (RELU6)");
}

// Rough rates of one thread, to tell work that is worth sharing out from work that is not.
double MacsPerMicrosecond(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return 30e3;
    case Isa::kAvx2:
      return 500e3;
    case Isa::kAvx512Bw:
    case Isa::kAvx512Vpopcntdq:
      return 900e3;
    default:
      return 100e3;
  }
}

class Bconv2dOp : public Op {
 public:
  Bconv2dOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(kInputs, 1);
    if (node.Input(kActivations).type != kTfLiteInt32) throw Unsupported("its input is not int32");
    ReadOptions(node);
    ReadFilter(node);
    ReadOutputTransform(node);
    if (zero_padding_ && transform_.type == bconv2d::OutputType::kBitpacked &&
        filter_.ChannelsPerGroup() % 2 != 0) {
      // Sums then come in half steps of the popcount, which an integer threshold cannot part.
      throw Unsupported("zero padding with bitpacked output needs an even number of channels");
    }
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    bconv2d::Geometry geometry;
    geometry.filter = filter_;
    if (input.size() != 4 || input[3] != geometry.InputWords()) {
      throw Unsupported("its input has the shape " + ToString(input) + ", not 4 axes with " +
                        std::to_string(geometry.InputWords()) + " words of channels");
    }
    Elements(input);
    geometry.batch = input[0];
    geometry.y = PlaceOrThrow(input[1], filter_.height, stride_height_, dilation_height_, padding_);
    geometry.x = PlaceOrThrow(input[2], filter_.width, stride_width_, dilation_width_, padding_);
    geometry.zero_padding = zero_padding_;
    const bool bitpacked = transform_.type == bconv2d::OutputType::kBitpacked;
    const Shape output = {
        geometry.batch, geometry.y.output, geometry.x.output,
        bitpacked ? static_cast<int>(PackedWords(filter_.channels_out)) : filter_.channels_out};
    Elements(output);

    const auto selection = bconv2d::Select(geometry, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    if (kernel_ != selection.kernel) {
      packed_ = selection.kernel->pack(filter_, FilterWords().data());
      if (!zero_padding_) packed_.zero_tap = Buffer();
      kernel_ = selection.kernel;
    }
    geometry_ = geometry;
    return output;
  }

  Work work() const override {
    const bconv2d::Workspace words = kernel_->workspace(geometry_);
    Work work;
    for (int stage = 0; stage < kernel_->stages; ++stage) {
      work.units.push_back(kernel_->units(geometry_, stage));
    }
    work.writes_parts = work.units.back() == geometry_.OutputRows();
    work.microseconds = static_cast<double>(geometry_.OutputRows()) * geometry_.x.output *
                        filter_.channels_out * filter_.Depth() / MacsPerMicrosecond(kernel_->isa);
    work.shared_words = words.shared;
    work.own_words = words.own;
    work.packed_bytes =
        packed_.words.bytes() + packed_.zero_tap.bytes() + transform_.parameters->bytes();
    return work;
  }

  void Run(const Buffers& buffers, int stage, std::int64_t begin, std::int64_t end,
           std::uint64_t* own) const override {
    const bconv2d::Call call = bconv2d::MakeCall(
        geometry_, transform_, packed_, static_cast<const std::uint32_t*>(buffers.inputs[0]),
        buffers.shared, buffers.output);
    kernel_->run(call, stage, begin, end, own);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  void ReadOptions(const NodeView& node) {
    const std::vector<int> options = node.ReadOptions(
        {"channels_in", "dilation_height_factor", "dilation_width_factor",
         "fused_activation_function", "pad_values", "padding", "stride_height", "stride_width"});
    filter_.channels_in = options[0];
    dilation_height_ = options[1];
    dilation_width_ = options[2];
    activation_ = ActivationOf(options[3]);
    padding_ = PaddingOf(options[5]);
    if (options[4] != 0 && options[4] != 1) {
      throw Unsupported("the option 'pad_values' is " + std::to_string(options[4]) +
                        ", neither 0 nor 1");
    }
    zero_padding_ = padding_ == Padding::kSame && options[4] == 0;
    stride_height_ = options[6];
    stride_width_ = options[7];
    if (filter_.channels_in < 1) {
      throw Unsupported("the option 'channels_in' is " + std::to_string(filter_.channels_in));
    }
  }

  void ReadFilter(const NodeView& node) {
    const Shape shape = node.ConstantShape(kFilter, "filter", kTfLiteInt32, 4);
    filter_.channels_out = shape[0];
    filter_.height = shape[1];
    filter_.width = shape[2];
    // The channels of one group fill whole words, so the filter's width in words tells the groups.
    const std::int64_t words = PackedWords(filter_.channels_in);
    const std::int64_t groups = words / shape[3];
    if (groups < 1 || groups * shape[3] != words || filter_.channels_out % groups != 0 ||
        (groups > 1 && filter_.channels_in % (groups * kWordBits) != 0)) {
      throw Unsupported("its filter of the shape " + ToString(shape) + " does not fit " +
                        std::to_string(filter_.channels_in) +
                        " input channels: groups must divide the output channels and have a "
                        "multiple of 32 input channels each");
    }
    filter_.groups = static_cast<int>(groups);
    // Twice the differing bits of one output, unused bits counted too, must fit 32 bits.
    const std::size_t bits = Elements({shape[1], shape[2], shape[3]}) * kWordBits;
    if (bits > std::numeric_limits<std::int32_t>::max() / 2) {
      throw Unsupported("its filter of the shape " + ToString(shape) + " is too large");
    }
    filter_data_ = node.ConstantData(kFilter);
    const int used_bits = filter_.ChannelsPerGroup() % kWordBits;
    if (used_bits == 0) return;
    const std::vector<std::uint32_t> filter_words = FilterWords();
    for (std::size_t i = shape[3] - 1; i < filter_words.size(); i += shape[3]) {
      if (filter_words[i] >> used_bits != 0) {
        throw Unsupported("its filter has bits set beyond its last input channel");
      }
    }
  }

  void ReadOutputTransform(const NodeView& node) {
    const Shape per_channel = {filter_.channels_out};
    const TfLiteTensor& output = node.Output(0);
    if (output.type == kTfLiteInt32) {
      if (!node.HasInput(kThreshold)) {
        throw Unsupported("its output is bitpacked, but it has no output threshold");
      }
      transform_ = bconv2d::BitpackedOutput(
          filter_, node.Constant<std::int32_t>(kThreshold, "output threshold", per_channel).data());
      return;
    }
    std::optional<std::vector<float>> multiplier;
    std::optional<std::vector<float>> bias;
    if (node.HasInput(kMultiplier)) {
      multiplier = node.Constant<float>(kMultiplier, "post-activation multiplier", per_channel);
    }
    if (node.HasInput(kBias)) {
      bias = node.Constant<float>(kBias, "post-activation bias", per_channel);
    }
    const float* m = multiplier ? multiplier->data() : nullptr;
    const float* b = bias ? bias->data() : nullptr;
    if (output.type == kTfLiteFloat32) {
      transform_ = bconv2d::FloatOutput(filter_, activation_, m, b);
    } else if (output.type == kTfLiteInt8) {
      const TfLiteQuantizationParams params = Int8Quantization(output, "output");
      transform_ = bconv2d::Int8Output(filter_, activation_, m, b, params.scale, params.zero_point);
    } else {
      throw Unsupported("its output is neither float32, int8 nor int32");
    }
  }

  // A copy, since the model's bytes need not be aligned.
  std::vector<std::uint32_t> FilterWords() const {
    const std::size_t count =
        std::size_t(filter_.channels_out) * filter_.Taps() * filter_.WordsPerGroup();
    std::vector<std::uint32_t> words(count);
    std::memcpy(words.data(), filter_data_, count * sizeof(std::uint32_t));
    return words;
  }

  const std::string forced_kernel_;
  Filter filter_;
  const void* filter_data_ = nullptr;  // in the model, which outlives this
  int stride_height_ = 0;
  int stride_width_ = 0;
  int dilation_height_ = 0;
  int dilation_width_ = 0;
  Padding padding_ = Padding::kValid;
  bool zero_padding_ = false;
  Activation activation_ = Activation::kNone;
  bconv2d::OutputTransform transform_;
  bconv2d::Geometry geometry_;
  const bconv2d::Kernel* kernel_ = nullptr;
  bconv2d::PackedFilter packed_;
};

}  // namespace

std::unique_ptr<Op> MakeBconv2dOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<Bconv2dOp>(node, forced_kernel);
}

}  // namespace tfkit
