#include "runner/plan.h"

#include "abi/tflite.h"
#include "runner/accelerator.h"

namespace tfkit::runner {
namespace {

// LiteRT's callbacks get no user data that could carry these.
struct Observer {
  const LiteRt* litert = nullptr;
  std::vector<PlanNode>* plan = nullptr;
  int subgraph = 0;
  TfLiteDelegate delegate{};
} observer;

PlanNode Describe(int index, const TfLiteNode& node, const TfLiteRegistration& registration) {
  PlanNode entry;
  entry.subgraph = observer.subgraph;
  entry.node = index;
  if (node.delegate == nullptr) return entry;
  entry.delegate = registration.custom_name == nullptr ? "?" : registration.custom_name;
  // For a delegate's node builtin_data is its partition. Delegates of the opaque kind have another
  // layout there, in which no field repeats the delegate.
  const auto* params = static_cast<const TfLiteDelegateParams*>(node.builtin_data);
  if (params == nullptr || params->delegate != node.delegate ||
      node.delegate->opaque_delegate_builder != nullptr) {
    return entry;
  }
  const TfLiteIntArray& nodes = *params->nodes_to_replace;
  entry.replaces.assign(nodes.data, nodes.data + nodes.size);
  return entry;
}

// Called once per subgraph, in their order.
TfLiteStatus Observe(TfLiteContext* context, TfLiteDelegate*) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return kTfLiteError;
  // The array is the runtime's own and may change when it is asked for nodes.
  const std::vector<int> indices(plan->data, plan->data + plan->size);
  for (const int index : indices) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk)
      return kTfLiteError;
    observer.plan->push_back(Describe(index, *node, *registration));
  }
  ++observer.subgraph;
  return kTfLiteOk;
}

void Keep(TfLiteOpaqueDelegate*) {}

LiteRtStatus CreateObserver(LiteRtRuntimeContext*, LiteRtEnvironment, LiteRtAcceleratorConst,
                            LiteRtOptions, LiteRtDelegateWrapper* wrapper) {
  observer.delegate.Prepare = Observe;
  observer.delegate.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return observer.litert->WrapDelegate(reinterpret_cast<TfLiteOpaqueDelegate*>(&observer.delegate),
                                       Keep, wrapper);
}

}  // namespace

void ObservePlan(const LiteRt& litert, LiteRtEnvironment environment, std::vector<PlanNode>& plan) {
  observer.litert = &litert;
  observer.plan = &plan;
  RegisterAccelerator(litert, environment, CreateObserver);
}

}  // namespace tfkit::runner
