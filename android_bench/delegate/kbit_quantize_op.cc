#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "delegate/kbit_levels.h"
#include "delegate/op.h"
#include "kernels/kbit_quantize/select.h"

namespace tfkit {
namespace {

using kbit_quantize::kMaxPlanes;

// TfkitKBitQuantize: float32 [..., channels] to int32 [..., planes * words of channels].
class KBitQuantizeOp : public Op {
 public:
  KBitQuantizeOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(3, 1);
    if (node.Input(0).type != kTfLiteFloat32) throw Unsupported("its input is not float32");
    if (node.Output(0).type != kTfLiteInt32) throw Unsupported("its output is not int32");
    planes_ = node.ReadOptions({"activation_planes"})[0];
    if (planes_ < 1 || planes_ > kMaxPlanes) {
      throw Unsupported("the option 'activation_planes' is " + std::to_string(planes_) +
                        ", not 1 to " + std::to_string(kMaxPlanes));
    }
    const Shape shape = node.ConstantShape(1, "thresholds", kTfLiteFloat32, 1);
    if (shape[0] > kbit_quantize::kMaxThresholds) {
      throw Unsupported("it has " + std::to_string(shape[0]) + " thresholds, at most " +
                        std::to_string(kbit_quantize::kMaxThresholds) + " are known");
    }
    thresholds_ = node.Constant<float>(1, "thresholds", shape);
    for (std::size_t i = 0; i < thresholds_.size(); ++i) {
      if (!std::isfinite(thresholds_[i]) || (i > 0 && thresholds_[i] <= thresholds_[i - 1])) {
        throw Unsupported("its thresholds do not rise");
      }
    }
    bits_ = ReadLevelBits(node, 2, shape[0] + 1, planes_);
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    Shape output = inputs[0];
    if (output.empty()) throw Unsupported("its input is a scalar");
    shape_.channels = output.back();
    shape_.rows = Elements(output) / shape_.channels;
    shape_.planes = planes_;
    const std::int64_t words = planes_ * PackedWords(shape_.channels);
    if (words > INT32_MAX) throw Unsupported("its input has too many channels");
    output.back() = static_cast<int>(words);
    Elements(output);
    const auto selection = kbit_quantize::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    return output;
  }

  Work work() const override {
    Work work = PassOver(shape_.rows, shape_.rows * shape_.channels * sizeof(float) * 2);
    work.reads_parts = true;
    return work;
  }

  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    const kbit_quantize::Levels levels = {static_cast<int>(thresholds_.size()), thresholds_.data(),
                                          bits_.data()};
    kernel_->run(shape_, levels, static_cast<const float*>(buffers.inputs[0]),
                 static_cast<std::uint32_t*>(buffers.output), begin, end);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  const std::string forced_kernel_;
  int planes_ = 0;
  std::vector<float> thresholds_;
  std::vector<std::uint8_t> bits_;
  kbit_quantize::Shape shape_;
  const kbit_quantize::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeKBitQuantizeOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<KBitQuantizeOp>(node, forced_kernel);
}

}  // namespace tfkit
