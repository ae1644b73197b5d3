#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "delegate/kbit_levels.h"
#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/buffer.h"
#include "kernels/kbit_conv2d/cost.h"
#include "kernels/kbit_conv2d/select.h"

namespace tfkit {
namespace {

using kbit_conv2d::Code;
using kbit_conv2d::Filter;
using kbit_conv2d::PaddedChannels;

// With float output only the first ones.
enum InputPosition {
  kActivations,
  kWeights,
  kScales,
  kBias,
  kFloatInputs,
  kThresholds = kFloatInputs,
  kLevelBits,
  kFalling,
  kLevelInputs
};

// Options that every node has, in this order; with levels as output one more.
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
const char* const kOutputPlanes = "output_planes";

int InRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return value;
  throw Unsupported(std::string("the option '") + name + "' is " + std::to_string(value) +
                    ", not " + std::to_string(low) + " to " + std::to_string(high));
}

// Where an array would start for row `row` to lie at `place`: kernels find a row by its distance
// from the start, whether the rows before it exist or not.
float* StartOfRows(float* place, std::int64_t row, std::size_t row_elements) {
  const auto address = reinterpret_cast<std::uintptr_t>(place);
  return reinterpret_cast<float*>(address - row * row_elements * sizeof(float));
}

// TfkitKBitConv2D on images; TfkitKBitDense on the last axis of anything, or with a window on whole
// images, which it flattens. Their outputs are floats, or where the type is int32 the levels of the
// quantizer behind them.
class KBitConv2dOp : public Op {
 public:
  KBitConv2dOp(const NodeView& node, const std::string& forced_kernel, bool dense)
      : forced_kernel_(forced_kernel), dense_(dense) {
    const TfLiteType output = node.Output(0).type;
    gives_levels_ = output == kTfLiteInt32;
    node.ExpectCounts(gives_levels_ ? kLevelInputs : kFloatInputs, 1);
    if (node.Input(kActivations).type != kTfLiteInt32) throw Unsupported("its input is not int32");
    if (!gives_levels_ && output != kTfLiteFloat32) {
      throw Unsupported("its output is neither float32 nor int32");
    }
    ReadOptions(node);
    CheckSums();
    ReadWeights(node);
    ReadOutput(node);
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    Elements(input);
    if (input.empty() || input.back() != filter_.InputWords()) RefuseShape(input);
    kbit_conv2d::Geometry geometry;
    geometry.filter = filter_;
    geometry.pad_bits = pad_bits_;
    Shape output = dense_ ? PrepareDense(input, geometry) : PrepareImages(input, geometry);
    output.push_back(filter_.channels_out);
    Elements(output);
    if (gives_levels_) {
      const std::int64_t words = output_planes_ * PackedWords(filter_.channels_out);
      output.back() = static_cast<int>(words);  // channels are below 2^29, planes at most 4
      Elements(output);
    }

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
    for (int stage = 0; stage < kernel_->stages; ++stage) {
      work.units.push_back(kernel_->units(geometry_, stage));
    }
    work.writes_parts = true;
    work.microseconds = kbit_conv2d::RoughMicroseconds(*kernel_, geometry_);
    work.shared_words = words.shared;
    work.own_words = words.own;
    if (QuantizesRows()) work.own_words = AlignedWords(words.own) + (RowElements() + 1) / 2;
    work.packed_bytes = packed_.words.bytes() + packed_.tap_bits.bytes() +
                        (scales_.size() + bias_.size()) * 4 + levels_.bytes();
    return work;
  }

  void Run(const Buffers& buffers, int stage, std::int64_t begin, std::int64_t end,
           std::uint64_t* own) const override {
    const auto run = [&](void* output, std::int64_t first, std::int64_t last) {
      const auto* input = static_cast<const std::uint32_t*>(buffers.inputs[0]);
      kernel_->run(
          kbit_conv2d::MakeCall(geometry_, transform_, packed_, input, buffers.shared, output),
          stage, first, last, own);
    };
    if (!QuantizesRows() || stage + 1 < kernel_->stages) return run(buffers.output, begin, end);
    auto* const row =
        reinterpret_cast<float*>(own + AlignedWords(kernel_->workspace(geometry_).own));
    const std::size_t row_words =
        std::size_t(geometry_.x.output) * output_planes_ * PackedWords(filter_.channels_out);
    for (std::int64_t unit = begin; unit < end; ++unit) {
      run(StartOfRows(row, unit, RowElements()), unit, unit + 1);
      levels_.Store(row, geometry_.x.output,
                    static_cast<std::uint32_t*>(buffers.output) + unit * row_words);
    }
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  // Bases have several sums: their levels are those of a float, which kernels only write out.
  bool QuantizesRows() const { return gives_levels_ && filter_.bases; }

  std::size_t RowElements() const { return std::size_t(geometry_.x.output) * filter_.channels_out; }

  [[noreturn]] void RefuseShape(const Shape& input) const {
    const std::string words = std::to_string(filter_.InputWords()) + " words of channels";
    if (dense_ && filter_.Taps() > 1) {
      throw Unsupported("its input has the shape " + ToString(input) + ", not images of " +
                        std::to_string(filter_.height) + " x " + std::to_string(filter_.width) +
                        " pixels with " + words);
    }
    throw Unsupported("its input has the shape " + ToString(input) + ", not " +
                      (dense_ ? "2 or more" : "4") + " axes with " + words);
  }

  // Sets the axes of the geometry; returns the output's shape but for its channels.
  Shape PrepareImages(const Shape& input, kbit_conv2d::Geometry& geometry) const {
    if (input.size() != 4) RefuseShape(input);
    geometry.batch = input[0];
    geometry.y = PlaceOrThrow(input[1], filter_.height, stride_height_, dilation_height_, padding_);
    geometry.x = PlaceOrThrow(input[2], filter_.width, stride_width_, dilation_width_, padding_);
    return {geometry.batch, geometry.y.output, geometry.x.output};
  }

  Shape PrepareDense(const Shape& input, kbit_conv2d::Geometry& geometry) const {
    const bool flattens = filter_.Taps() > 1;
    const std::size_t inner = flattens ? 3 : 1;
    if (input.size() < inner + 1) RefuseShape(input);
    if (flattens &&
        (input[input.size() - 3] != filter_.height || input[input.size() - 2] != filter_.width)) {
      RefuseShape(input);
    }
    const Shape outer(input.begin(), input.end() - inner);
    const std::size_t places = Elements(outer);
    if (places > std::size_t(std::numeric_limits<int>::max())) {
      throw Unsupported("its input of the shape " + ToString(input) + " is too large");
    }
    // Vectors are a row of pixels, images a batch.
    const int count = static_cast<int>(places);
    geometry.batch = flattens ? count : 1;
    geometry.y = PlaceOrThrow(filter_.height, filter_.height, 1, 1, Padding::kValid);
    geometry.x =
        PlaceOrThrow(flattens ? filter_.width : count, filter_.width, 1, 1, Padding::kValid);
    return outer;
  }

  void ReadOptions(const NodeView& node) {
    std::vector<const char*> names = kOptions;
    if (gives_levels_) names.push_back(kOutputPlanes);
    const std::vector<int> values = node.ReadOptions(names);
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
    filter_.height = option(8, 1, kMost);
    filter_.width = option(9, 1, kMost);
    pad_bits_ = option(10, -1, (1 << filter_.activations.planes) - 1);
    padding_ = PaddingOf(values[11]);
    stride_height_ = option(12, 1, dense_ ? 1 : kMost);
    stride_width_ = option(13, 1, dense_ ? 1 : kMost);
    filter_.weights = {option(15, 1, kbit_conv2d::kMaxPlanes), option(16, 1, kMostStep),
                       option(14, -kMostStep, kMostStep)};
    if (gives_levels_) {
      output_planes_ = InRange(kOutputPlanes, values.back(), 1, kbit_conv2d::kMaxActivationPlanes);
    }
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

  void ReadWeights(const NodeView& node) {
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
  }

  void ReadOutput(const NodeView& node) {
    const int channels = filter_.channels_out;
    const std::size_t padded = PaddedChannels(channels);
    bias_.assign(padded, 0.0f);
    if (gives_levels_) {
      // What the thresholds hold already.
      if (node.HasInput(kBias)) throw Unsupported("its output are levels, but it has a bias");
      if (!filter_.bases && node.HasInput(kScales)) {
        throw Unsupported("its output are levels of sums, but it has scales");
      }
      levels_ = KBitLevels(node, kThresholds, filter_, output_planes_);
      if (!filter_.bases) return levels_.Fill(transform_);
    } else {
      const std::vector<float> bias = node.Constant<float>(kBias, "bias", {channels});
      std::memcpy(bias_.data(), bias.data(), channels * sizeof(float));
    }
    const std::vector<float> scales =
        node.Constant<float>(kScales, "scales", {filter_.Terms(), channels});
    scales_.assign(filter_.Terms() * padded, 0.0f);
    for (int term = 0; term < filter_.Terms(); ++term) {
      std::memcpy(scales_.data() + term * padded, scales.data() + std::size_t(term) * channels,
                  channels * sizeof(float));
    }
    transform_.scales = scales_.data();
    transform_.bias = bias_.data();
  }

  // A copy, since the model's bytes need not be aligned.
  std::vector<std::uint32_t> Stored() const {
    std::vector<std::uint32_t> words(PackedWords(filter_.StoredBits()));
    std::memcpy(words.data(), weights_, words.size() * sizeof(std::uint32_t));
    return words;
  }

  const std::string forced_kernel_;
  const bool dense_;
  bool gives_levels_ = false;
  int output_planes_ = 0;
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
  KBitLevels levels_;
  kbit_conv2d::OutputTransform transform_;  // into the members above
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
