#include <limits>

#include "delegate/op.h"

namespace tfkit {
namespace {

// DENSIFY in front of nodes that all read what is stored sparse themselves: nobody needs the dense
// tensor, so a single element takes its place: no number, should somebody read it after all.
class DensifyOp : public Op {
 public:
  explicit DensifyOp(const NodeView& node) {
    node.ExpectCounts(1, 1);
    if (node.Output(0).type != kTfLiteFloat32) throw Unsupported("its output is not float32");
  }

  int activations() const override { return 0; }
  Shape Prepare(const std::vector<Shape>&) override { return {1}; }
  Work work() const override { return PassOver(1, 0); }
  void Run(const Buffers& buffers, int, std::int64_t, std::int64_t, std::uint64_t*) const override {
    *static_cast<float*>(buffers.output) = std::numeric_limits<float>::quiet_NaN();
  }
  const char* kernel_name() const override { return "none"; }
};

}  // namespace

std::unique_ptr<Op> MakeDensifyOp(const NodeView& node) {
  return std::make_unique<DensifyOp>(node);
}

}  // namespace tfkit
