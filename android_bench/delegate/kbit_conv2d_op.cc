#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "delegate/kbit_levels.h"
#include "delegate/kbit_options.h"
#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/buffer.h"
#include "kernels/kbit_conv2d/cost.h"
#include "kernels/kbit_conv2d/select.h"

namespace tfkit {
namespace {

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
    options_ = ReadKBitOptions(node, dense_, gives_levels_);
    ReadWeights(node);
    ReadOutput(node);
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    Elements(input);
    if (input.empty() || input.back() != filter_.InputWords()) RefuseShape(input);
    kbit_conv2d::Geometry geometry;
    geometry.filter = filter_;
    geometry.pad_bits = options_.pad_bits;
    Shape output = dense_ ? PrepareDense(input, geometry) : PrepareImages(input, geometry);
    output.push_back(filter_.channels_out);
    Elements(output);
    if (gives_levels_) {
      const std::int64_t words = options_.output_planes * PackedWords(filter_.channels_out);
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
    const std::size_t row_words = std::size_t(geometry_.x.output) * options_.output_planes *
                                  PackedWords(filter_.channels_out);
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
    geometry.y = PlaceOrThrow(input[1], filter_.height, options_.stride_height,
                              options_.dilation_height, options_.padding);
    geometry.x = PlaceOrThrow(input[2], filter_.width, options_.stride_width,
                              options_.dilation_width, options_.padding);
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
      levels_ = KBitLevels(node, kThresholds, filter_, options_.output_planes);
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
  KBitOptions options_;
  const Filter& filter_ = options_.filter;
  const void* weights_ = nullptr;  // in the model, which outlives this
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
