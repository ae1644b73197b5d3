#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "delegate/op.h"
#include "delegate/sparse_constant.h"
#include "delegate/window_options.h"
#include "kernels/sparse_conv2d/run.h"
#include "kernels/sparse_conv2d/select.h"

namespace tfkit {
namespace {

enum InputPosition { kActivations, kWeights, kBias, kInputs };

// Filters with fewer zeros are the runtime's, whatever kernel is forced.
constexpr double kLeastZeros = 0.5;
// A tile of a filter deeper than this would not stay in any cache.
constexpr std::size_t kDeepest = std::size_t{1} << 16;

sparse_conv2d::Clamp ClampOf(int activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case 0:
      return {-kInfinity, kInfinity};
    case 1:
      return {0.0f, kInfinity};
    case 2:
      return {-1.0f, 1.0f};
    case 3:
      return {0.0f, 6.0f};
    default:
      throw Unsupported("it has the activation number " + std::to_string(activation));
  }
}

double NonzerosPerMicrosecond(Isa isa) {
  switch (isa) {
    case Isa::kAvx512Bw:
      return 25e3;
    case Isa::kFma:
      return 15e3;
    default:
      return 6e3;
  }
}

// The runtime's CONV_2D and FULLY_CONNECTED of float32, where their filters are mostly zeros.
class SparseConv2dOp : public Op {
 public:
  SparseConv2dOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel),
        dense_layer_(node.builtin_code() == kTfLiteBuiltinFullyConnected) {
    node.ExpectCounts(kInputs, 1);
    if (node.Input(kActivations).type != kTfLiteFloat32 || node.Output(0).type != kTfLiteFloat32) {
      throw Unsupported("it is not of float32");
    }
    ReadOptions(node.builtin_options());
    ReadFilter(node);
    bias_.assign(filter_shape_[0], 0.0f);
    if (node.HasInput(kBias)) bias_ = node.Constant<float>(kBias, "bias", {filter_shape_[0]});
    // The runtime is not to lose what it runs faster.
    Place(ShapeOf(node.Input(kActivations)));
    const auto selection = sparse_conv2d::Select(SelectedShape(), HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape output = Place(inputs[0]);
    const auto selection = sparse_conv2d::Select(SelectedShape(), HostCpu(), forced_kernel_);
    kernel_ = selection.kernel ? selection.kernel : sparse_conv2d::Fastest(HostCpu());
    return output;
  }

  Work work() const override {
    Work work;
    work.units = {sparse_conv2d::Units(*kernel_, geometry_)};
    work.microseconds = static_cast<double>(filter_.nonzeros()) * geometry_.Pixels() /
                        NonzerosPerMicrosecond(kernel_->isa);
    work.own_words = sparse_conv2d::OwnWords(*kernel_, geometry_);
    work.packed_bytes = filter_.bytes() + bias_.size() * sizeof(float);
    return work;
  }

  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t* own) const override {
    sparse_conv2d::Run(*kernel_, geometry_, {filter_, bias_.data(), clamp_},
                       static_cast<const float*>(buffers.inputs[0]),
                       static_cast<float*>(buffers.output), begin, end, own);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  void ReadOptions(const void* options) {
    if (!options) throw Unsupported("the runtime gives no options");
    if (dense_layer_) {
      const auto& params = *static_cast<const TfLiteFullyConnectedParams*>(options);
      if (params.weights_format != 0) throw Unsupported("its weights are shuffled");
      keep_axes_ = params.keep_num_dims;
      clamp_ = ClampOf(params.activation);
      return;
    }
    const auto& params = *static_cast<const TfLiteConvParams*>(options);
    padding_ = PaddingOf(params.padding - 1);
    stride_y_ = params.stride_height;
    stride_x_ = params.stride_width;
    dilation_y_ = params.dilation_height_factor;
    dilation_x_ = params.dilation_width_factor;
    clamp_ = ClampOf(params.activation);
  }

  void ReadFilter(const NodeView& node) {
    const TfLiteTensor& tensor = node.StoredInput(kWeights);
    filter_shape_ = ShapeOf(tensor);
    if (filter_shape_.size() != (dense_layer_ ? 2 : 4)) {
      throw Unsupported("its filter has the shape " + ToString(filter_shape_));
    }
    const std::size_t outputs = filter_shape_[0];
    const std::size_t depth = Elements(filter_shape_) / outputs;
    if (depth > kDeepest) throw Unsupported("its filter is too deep");
    // Most filters have none: they are not to be copied to find that out.
    if (LeastZeros(tensor, outputs * depth) < kLeastZeros * outputs * depth) {
      throw Unsupported("its filter has few zeros");
    }
    const std::vector<float> values = DenseValues(tensor, "filter", filter_shape_);
    for (float value : values) {
      if (!std::isfinite(value)) throw Unsupported("its filter is not finite");
    }
    filter_ = sparse_conv2d::Compress(values.data(), outputs, depth);
  }

  // Takes up the input's shape and returns the output's.
  Shape Place(const Shape& input) {
    const int channels = filter_shape_.back();
    if (dense_layer_) return PlaceDense(input, channels);
    if (input.size() != 4 || input[3] != channels) {
      throw Unsupported("its input has the shape " + ToString(input) + ", not 4 axes with " +
                        std::to_string(channels) + " channels");
    }
    Elements(input);
    geometry_.batch = input[0];
    geometry_.y = PlaceOrThrow(input[1], filter_shape_[1], stride_y_, dilation_y_, padding_);
    geometry_.x = PlaceOrThrow(input[2], filter_shape_[2], stride_x_, dilation_x_, padding_);
    geometry_.channels = channels;
    const Shape output = {input[0], geometry_.y.output, geometry_.x.output, filter_shape_[0]};
    Elements(output);
    return output;
  }

  Shape PlaceDense(const Shape& input, int channels) {
    const std::size_t values = Elements(input);
    const std::size_t rows = values / channels;
    if (input.empty() || values % channels != 0 || (keep_axes_ && input.back() != channels) ||
        rows > std::size_t(std::numeric_limits<int>::max())) {
      throw Unsupported("its input has the shape " + ToString(input) + ", its filter " +
                        ToString(filter_shape_));
    }
    geometry_.batch = 1;
    geometry_.y = PlaceOrThrow(1, 1, 1, 1, Padding::kValid);
    geometry_.x = PlaceOrThrow(static_cast<int>(rows), 1, 1, 1, Padding::kValid);
    geometry_.channels = channels;
    Shape output = {static_cast<int>(rows), filter_shape_[0]};
    if (keep_axes_) {
      output = input;
      output.back() = filter_shape_[0];
    }
    Elements(output);
    return output;
  }

  sparse_conv2d::Shape SelectedShape() const {
    return sparse_conv2d::ShapeOf(filter_, geometry_.Pixels());
  }

  const std::string forced_kernel_;
  const bool dense_layer_;
  bool keep_axes_ = false;
  Padding padding_ = Padding::kValid;
  int stride_y_ = 1;
  int stride_x_ = 1;
  int dilation_y_ = 1;
  int dilation_x_ = 1;
  sparse_conv2d::Clamp clamp_{};
  Shape filter_shape_;
  sparse_conv2d::Filter filter_;
  std::vector<float> bias_;
  sparse_conv2d::Geometry geometry_;
  const sparse_conv2d::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeSparseConv2dOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<SparseConv2dOp>(node, forced_kernel);
}

}  // namespace tfkit
