#include <cstdint>

#include "delegate/op.h"
#include "kernels/bits.h"
#include "kernels/dequantize/select.h"

namespace tfkit {
namespace {

class DequantizeOp : public Op {
 public:
  DequantizeOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(1, 1);
    if (node.Input(0).type != kTfLiteInt32) throw Unsupported("its input is not int32");
    const TfLiteTensor& output = node.Output(0);
    output_type_ = output.type;
    if (output_type_ != kTfLiteFloat32 && output_type_ != kTfLiteInt8) {
      throw Unsupported("its output is neither float32 nor int8");
    }
    if (output_type_ == kTfLiteInt8) {
      const TfLiteQuantizationParams params = Int8Quantization(output, "output");
      values_ = dequantize::Int8Values(params.scale, params.zero_point);
    }
    // Words do not tell how many channels they hold; the model's output shape does.
    const Shape shape = ShapeOf(output);
    if (shape.empty() || shape.back() < 1) throw Unsupported("its output has no channels");
    channels_ = shape.back();
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    if (input.empty() || input.back() != PackedWords(channels_)) {
      throw Unsupported("its input has the shape " + ToString(input) + ", which does not hold " +
                        std::to_string(channels_) + " channels");
    }
    Shape output = input;
    output.back() = channels_;
    Elements(output);
    shape_.rows = Elements(output, output.size() - 1);
    shape_.channels = channels_;
    const auto selection = dequantize::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    return output;
  }

  Work work() const override {
    const std::size_t element = output_type_ == kTfLiteFloat32 ? sizeof(float) : 1;
    return PassOver(shape_.rows, shape_.rows * shape_.channels * element);
  }

  // A unit is a row.
  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    const dequantize::Shape part = {std::size_t(end - begin), shape_.channels};
    const std::size_t first = begin * shape_.channels;
    const auto* words =
        static_cast<const std::uint32_t*>(buffers.inputs[0]) + begin * PackedWords(shape_.channels);
    if (output_type_ == kTfLiteFloat32) {
      kernel_->to_float(part, words, static_cast<float*>(buffers.output) + first);
    } else {
      kernel_->to_int8(part, words, values_, static_cast<std::int8_t*>(buffers.output) + first);
    }
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  const std::string forced_kernel_;
  TfLiteType output_type_;
  int channels_ = 0;
  dequantize::Values<std::int8_t> values_{};
  dequantize::Shape shape_;
  const dequantize::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeDequantizeOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<DequantizeOp>(node, forced_kernel);
}

}  // namespace tfkit
