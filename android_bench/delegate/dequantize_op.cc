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

  Shape Prepare(const Shape& input) override {
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

  void Run(const void* input, void* output) override {
    const auto* words = static_cast<const std::uint32_t*>(input);
    if (output_type_ == kTfLiteFloat32) {
      kernel_->to_float(shape_, words, static_cast<float*>(output));
    } else {
      kernel_->to_int8(shape_, words, values_, static_cast<std::int8_t*>(output));
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
