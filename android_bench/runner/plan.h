// What the interpreter executes once all delegates have taken their nodes.
#ifndef TFKIT_RUNNER_PLAN_H_
#define TFKIT_RUNNER_PLAN_H_

#include <string>
#include <vector>

#include "runner/litert.h"

namespace tfkit::runner {

// One entry of an execution plan. `delegate` names the delegate that runs it (empty: none does),
// `replaces` the flatbuffer's nodes that it stands for.
struct PlanNode {
  int subgraph = 0;
  int node = 0;
  std::string delegate;
  std::vector<int> replaces;
};

// LiteRT's interface does not show how a graph was partitioned; a delegate sees it. This registers
// one that is offered the graph after those registered before it, writes down the plan and takes
// nothing. `plan` is filled when a model is compiled and must live until then.
void ObservePlan(const LiteRt& litert, LiteRtEnvironment environment, std::vector<PlanNode>& plan);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_PLAN_H_
