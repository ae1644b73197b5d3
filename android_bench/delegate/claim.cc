#include "delegate/claim.h"

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "delegate/node_view.h"
#include "delegate/op.h"
#include "delegate/sparse_claim.h"
#include "delegate/unpack_weights.h"

namespace tfkit {
namespace {

std::vector<int> ExecutionPlan(TfLiteContext* context) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk || !plan) {
    throw Unsupported("the runtime gives no execution plan");
  }
  return std::vector<int>(plan->data, plan->data + plan->size);
}

// How many nodes write each tensor. Throws if a node of the plan reads a tensor that it or a later
// one writes: partitions and their buffers rely on the order, and older runtimes crash on a cycle
// when they partition.
std::map<int, int> CountWriters(TfLiteContext* context, const std::vector<int>& plan) {
  std::map<int, int> writers;
  std::set<int> read;
  for (int index : plan) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk)
      continue;
    for (int i = 0; node->inputs && i < node->inputs->size; ++i) read.insert(node->inputs->data[i]);
    for (int i = 0; node->outputs && i < node->outputs->size; ++i) {
      const int tensor = node->outputs->data[i];
      ++writers[tensor];
      if (read.count(tensor) != 0) {
        throw Unsupported("node " + std::to_string(index) + " writes tensor " +
                          std::to_string(tensor) + ", which is read before it is written");
      }
    }
  }
  return writers;
}

[[noreturn]] void Refuse(const NodeView& node, const std::string& reason) {
  throw Unsupported("cannot run node " + std::to_string(node.index()) + " (" + node.op_name() +
                    "): " + reason);
}

bool IsOurs(const NodeView& node) {
  return node.is_custom() && (IsOpName(node.op_name()) || UnpackedWeights::IsName(node.op_name()));
}

void Check(const NodeView& node, const Options& options) {
  if (UnpackedWeights::IsName(node.op_name())) {
    UnpackedWeights::Check(node);
  } else {
    MakeOp(node, options.kernel);
  }
}

bool Convolves(const NodeView& node) {
  return std::strcmp(node.op_name(), "LceBconv2d") == 0 ||
         std::strcmp(node.op_name(), "TfkitKBitConv2D") == 0;
}

bool CanRun(const NodeView& node, const Options& options) {
  try {
    MakeOp(node, options.kernel);
    return true;
  } catch (const Unsupported&) {
    return false;
  }
}

}  // namespace

std::vector<int> NodesToClaim(TfLiteContext* context, const Options& options) {
  const std::vector<int> plan = ExecutionPlan(context);
  std::vector<NodeView> nodes;
  bool any_ours = false;
  std::set<int> convolved;  // tensors
  for (int index : plan) {
    const NodeView node(context, index);
    if (IsOurs(node)) {
      try {
        Check(node, options);
      } catch (const Unsupported& error) {
        Refuse(node, error.what());
      }
      any_ours = true;
      if (Convolves(node)) convolved.insert(node.output_index(0));
    } else if (!node.is_builtin_add() || !CanRun(node, options) ||
               (convolved.count(node.input_index(0)) == 0 &&
                convolved.count(node.input_index(1)) == 0)) {
      continue;
    }
    nodes.push_back(node);
  }
  for (const NodeView& node : SparseNodes(context, plan, options)) {
    nodes.push_back(node);
    any_ours = true;
  }
  if (!any_ours) return {};  // a model that is none of this delegate's business

  const std::map<int, int> writers = CountWriters(context, plan);
  std::vector<int> claimed;
  for (const NodeView& node : nodes) {
    if (writers.at(node.output_index(0)) == 1) {
      claimed.push_back(node.index());
    } else if (IsOurs(node)) {
      Refuse(node, "its output is written by another node too");
    }
  }
  return claimed;
}

}  // namespace tfkit
