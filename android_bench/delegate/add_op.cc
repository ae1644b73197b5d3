#include <cstdint>

#include "delegate/op.h"
#include "kernels/add/select.h"

namespace tfkit {
namespace {

// The runtime's ADD of two float32 images; of all that ADD can be, the part that lies between
// binary convolutions. A sum beyond the largest float is infinite, as XNNPACK has it.
class AddOp : public Op {
 public:
  AddOp(const NodeView& node, const std::string& forced_kernel) : forced_kernel_(forced_kernel) {
    node.ExpectCounts(2, 1);
    const auto* options = static_cast<const TfLiteAddParams*>(node.builtin_options());
    if (!options || options->activation != 0) throw Unsupported("it has a fused activation");
    for (int i = 0; i < 2; ++i) {
      const TfLiteTensor& input = node.Input(i);
      if (input.type != kTfLiteFloat32) throw Unsupported("its inputs are not float32");
      if (input.allocation_type == kTfLiteMmapRo)
        throw Unsupported("one of its inputs is constant");
    }
    if (node.Output(0).type != kTfLiteFloat32) throw Unsupported("its output is not float32");
    CheckShapes(ShapeOf(node.Input(0)), ShapeOf(node.Input(1)));
  }

  int activations() const override { return 2; }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    CheckShapes(inputs[0], inputs[1]);
    shape_.elements = Elements(inputs[0]);
    channels_ = inputs[0].back();
    const auto selection = add::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    return inputs[0];
  }

  Work work() const override {
    Work work = PassOver(shape_.elements / channels_, 2 * shape_.elements * sizeof(float));
    work.writes_parts = work.reads_parts = work.in_place = true;
    return work;
  }

  // A unit is a pixel.
  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    const std::size_t first = begin * channels_;
    kernel_->floats({std::size_t(end - begin) * channels_},
                    static_cast<const float*>(buffers.inputs[0]) + first,
                    static_cast<const float*>(buffers.inputs[1]) + first,
                    static_cast<float*>(buffers.output) + first);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  static void CheckShapes(const Shape& a, const Shape& b) {
    if (a.empty() || a != b) {
      throw Unsupported("its inputs have the shapes " + ToString(a) + " and " + ToString(b) +
                        ", which are to be the same");
    }
  }

  const std::string forced_kernel_;
  std::size_t channels_ = 1;
  add::Shape shape_;
  const add::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeAddOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<AddOp>(node, forced_kernel);
}

}  // namespace tfkit
