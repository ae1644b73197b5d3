#include <cstdint>
#include <set>

#include "delegate/kbit_levels.h"
#include "delegate/op.h"
#include "delegate/window_options.h"
#include "kernels/kbit_maxpool/select.h"

namespace tfkit {
namespace {

using kbit_maxpool::kMaxLevels;
using kbit_maxpool::kMaxPlanes;

// TfkitKBitMaxPool2D: int32 [batch, height, width, planes * words of channels] to the same.
class KBitMaxPool2dOp : public Op {
 public:
  KBitMaxPool2dOp(const NodeView& node, const std::string& forced_kernel)
      : forced_kernel_(forced_kernel) {
    node.ExpectCounts(3, 1);
    if (node.Input(0).type != kTfLiteInt32 || node.Output(0).type != kTfLiteInt32) {
      throw Unsupported("its input or output is not int32");
    }
    const std::vector<int> options =
        node.ReadOptions({"activation_planes", "channels", "filter_height", "filter_width",
                          "padding", "stride_height", "stride_width"});
    shape_.planes = options[0];
    if (shape_.planes < 1 || shape_.planes > kMaxPlanes) {
      throw Unsupported("the option 'activation_planes' is " + std::to_string(shape_.planes) +
                        ", not 1 to " + std::to_string(kMaxPlanes));
    }
    shape_.channels = options[1];
    if (shape_.channels < 1 || shape_.channels > kMostChannels) {
      throw Unsupported("the option 'channels' is " + std::to_string(shape_.channels));
    }
    filter_height_ = options[2];
    filter_width_ = options[3];
    padding_ = PaddingOf(options[4]);
    stride_height_ = options[5];
    stride_width_ = options[6];
    const int levels = node.ConstantShape(1, "level bits", kTfLiteInt32, 1)[0];
    if (levels < 2 || levels > kMaxLevels) {
      throw Unsupported("it has " + std::to_string(levels) + " levels, not 2 to " +
                        std::to_string(kMaxLevels));
    }
    bits_ = ReadLevelBits(node, 1, levels, shape_.planes);
    if (std::set<std::uint8_t>(bits_.begin(), bits_.end()).size() != bits_.size()) {
      throw Unsupported("two of its levels have the same bits");
    }
    falling_ = ReadChannelMask(node, 2, "falling channels", shape_.channels);
  }

  Shape Prepare(const std::vector<Shape>& inputs) override {
    const Shape& input = inputs[0];
    Elements(input);
    if (input.size() != 4 || input[3] != shape_.PixelWords()) {
      throw Unsupported("its input has the shape " + ToString(input) + ", not 4 axes with " +
                        std::to_string(shape_.PixelWords()) + " words of channels");
    }
    shape_.batch = input[0];
    shape_.y = PlaceOrThrow(input[1], filter_height_, stride_height_, 1, padding_);
    shape_.x = PlaceOrThrow(input[2], filter_width_, stride_width_, 1, padding_);
    const auto selection = kbit_maxpool::Select(shape_, HostCpu(), forced_kernel_);
    if (!selection.kernel) throw Unsupported(selection.error);
    kernel_ = selection.kernel;
    return {shape_.batch, shape_.y.output, shape_.x.output, shape_.PixelWords()};
  }

  Work work() const override {
    const std::size_t words =
        std::size_t(shape_.batch) * shape_.y.input * shape_.x.input * shape_.PixelWords();
    // Some ten operations a word where a copy has one.
    return PassOver(shape_.OutputRows(), 10 * words * sizeof(std::uint32_t));
  }

  // A unit is an output row.
  void Run(const Buffers& buffers, int, std::int64_t begin, std::int64_t end,
           std::uint64_t*) const override {
    const kbit_maxpool::Levels levels = {static_cast<int>(bits_.size()), bits_.data(),
                                         falling_.data()};
    kernel_->run(shape_, levels, static_cast<const std::uint32_t*>(buffers.inputs[0]),
                 static_cast<std::uint32_t*>(buffers.output), begin, end);
  }

  const char* kernel_name() const override { return kernel_->name; }

 private:
  static constexpr int kMostChannels = 1 << 28;

  const std::string forced_kernel_;
  Padding padding_ = Padding::kValid;
  int stride_height_ = 0;
  int stride_width_ = 0;
  int filter_height_ = 0;
  int filter_width_ = 0;
  std::vector<std::uint8_t> bits_;  // of each level
  std::vector<std::uint32_t> falling_;
  kbit_maxpool::Shape shape_;
  const kbit_maxpool::Kernel* kernel_ = nullptr;
};

}  // namespace

std::unique_ptr<Op> MakeKBitMaxPool2dOp(const NodeView& node, const std::string& forced_kernel) {
  return std::make_unique<KBitMaxPool2dOp>(node, forced_kernel);
}

}  // namespace tfkit
