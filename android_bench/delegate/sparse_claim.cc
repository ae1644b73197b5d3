#include "delegate/sparse_claim.h"

#include <set>

#include "delegate/op.h"

namespace tfkit {
namespace {

bool Pays(const NodeView& node, const Options& options) {
  if (node.builtin_code() != kTfLiteBuiltinConv2d &&
      node.builtin_code() != kTfLiteBuiltinFullyConnected) {
    return false;
  }
  try {
    MakeOp(node, options.kernel);
    return true;
  } catch (const Unsupported&) {
    return false;
  }
}

bool IsDensify(const NodeView& node) {
  if (node.builtin_code() != kTfLiteBuiltinDensify) return false;
  try {
    MakeOp(node, "");
    return true;
  } catch (const Unsupported&) {
    return false;
  }
}

}  // namespace

std::vector<NodeView> SparseNodes(TfLiteContext* context, const std::vector<int>& plan,
                                  const Options& options) {
  std::vector<NodeView> taken;
  std::set<int> needed;  // tensors that the runtime's nodes read
  std::set<int> spared;  // those that only nodes which are taken read, as weights
  for (int index : plan) {
    const NodeView node(context, index);
    const bool pays = Pays(node, options);
    for (int i = 0; i < node.inputs(); ++i) {
      (pays && i == 1 ? spared : needed).insert(node.input_index(i));
    }
    if (pays) taken.push_back(node);
  }
  for (int index : plan) {
    const NodeView node(context, index);
    if (!IsDensify(node)) continue;
    const int tensor = node.output_index(0);
    if (spared.count(tensor) != 0 && needed.count(tensor) == 0) taken.push_back(node);
  }
  return taken;
}

}  // namespace tfkit
