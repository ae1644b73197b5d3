#include <cstdint>

#include "delegate/op.h"
#include "kernels/bits.h"
#include "kernels/quantize/select.h"

namespace tfkit {
namespace {

class QuantizeOp : public Op {
 public:
  QuantizeOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(1, 1);
    const TfLiteTensor& input = node.Input(0);
    input_type_ = input.type;
    if (input_type_ != kTfLiteFloat32 && input_type_ != kTfLiteInt8) {
      throw Unsupported("its input is neither float32 nor int8");
    }
    if (input_type_ == kTfLiteInt8) zero_point_ = Int8Quantization(input, "input").zero_point;
    if (node.Output(0).type != kTfLiteInt32) throw Unsupported("its output is not int32");
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    if (input.empty()) throw Unsupported("its input is a scalar");
    Elements(input);
    shape_.rows = Elements(input, input.size() - 1);
    shape_.channels = input.back();
    const auto selection = quantize::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    Shape output = input;
    output.back() = static_cast<int>(PackedWords(input.back()));
    return output;
  }

  Work work() const override {
    const std::size_t element = input_type_ == kTfLiteFloat32 ? sizeof(float) : 1;
    Work work = PassOver(shape_.rows, shape_.rows * shape_.channels * element);
    work.reads_parts = true;
    return work;
  }

  // A unit is a row.
  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    const quantize::Shape part = {std::size_t(end - begin), shape_.channels};
    const std::size_t first = begin * shape_.channels;
    auto* words =
        static_cast<std::uint32_t*>(buffers.output) + begin * PackedWords(shape_.channels);
    if (input_type_ == kTfLiteFloat32) {
      kernel_->from_float(part, static_cast<const float*>(buffers.inputs[0]) + first, words);
    } else {
      kernel_->from_int8(part, static_cast<const std::int8_t*>(buffers.inputs[0]) + first,
                         zero_point_, words);
    }
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  const std::string forced_kernel_;
  TfLiteType input_type_;
  int zero_point_ = 0;
  quantize::Shape shape_;
  const quantize::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeQuantizeOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<QuantizeOp>(node, forced_kernel);
}

}  // namespace tfkit
