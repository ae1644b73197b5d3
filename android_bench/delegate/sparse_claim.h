// Which of the runtime's own convolutions and dense layers the delegate takes.
#pragma once

#include <vector>

#include "abi/tflite.h"
#include "delegate/node_view.h"
#include "delegate/options.h"

namespace tfkit {

// Those of `plan` with mostly zero filters that a kernel here runs faster than the runtime's dense
// ones, and the DENSIFY nodes in front of them that nobody else needs.
std::vector<NodeView> SparseNodes(TfLiteContext*, const std::vector<int>& plan, const Options&);

}  // namespace tfkit
