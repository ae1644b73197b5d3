// What the delegate says of itself, as JSON; README.md beside this file gives the format.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "delegate/partition.h"

namespace tfkit {

struct DelegateReport {
  std::vector<NodeReport> nodes;
  std::size_t arena_bytes = 0;      // tensors inside partitions
  std::size_t workspace_bytes = 0;  // by how much the kernels' scratch enlarges that
  std::size_t packed_bytes = 0;     // weights and output parameters in the kernels' order
};

std::string ToJson(const DelegateReport&);

}  // namespace tfkit
