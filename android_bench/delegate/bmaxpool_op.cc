#include <cstdint>

#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/bmaxpool/select.h"

namespace tfkit {
namespace {

class BMaxPool2dOp : public Op {
 public:
  BMaxPool2dOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(1, 1);
    if (node.Input(0).type != kTfLiteInt32 || node.Output(0).type != kTfLiteInt32) {
      throw Unsupported("its input or output is not int32");
    }
    const std::vector<int> options = node.ReadOptions(
        {"padding", "stride_height", "stride_width", "filter_height", "filter_width"});
    padding_ = PaddingOf(options[0]);
    stride_height_ = options[1];
    stride_width_ = options[2];
    filter_height_ = options[3];
    filter_width_ = options[4];
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    if (input.size() != 4) throw Unsupported("its input has the shape " + ToString(input));
    Elements(input);
    shape_.batch = input[0];
    shape_.y = PlaceOrThrow(input[1], filter_height_, stride_height_, 1, padding_);
    shape_.x = PlaceOrThrow(input[2], filter_width_, stride_width_, 1, padding_);
    shape_.words = input[3];
    const auto selection = bmaxpool::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    return {shape_.batch, shape_.y.output, shape_.x.output, shape_.words};
  }

  Work work() const override {
    const std::size_t words = std::size_t(shape_.batch) * shape_.y.input * shape_.x.input *
                              static_cast<std::size_t>(shape_.words);
    return PassOver(shape_.OutputRows(), words * sizeof(std::uint32_t));
  }

  // A unit is an output row.
  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    kernel_->run(shape_, static_cast<const std::uint32_t*>(buffers.inputs[0]),
                 static_cast<std::uint32_t*>(buffers.output), begin, end);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  const std::string forced_kernel_;
  Padding padding_;
  int stride_height_;
  int stride_width_;
  int filter_height_;
  int filter_width_;
  bmaxpool::Shape shape_;
  const bmaxpool::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeBMaxPool2dOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<BMaxPool2dOp>(node, forced_kernel);
}

}  // namespace tfkit
