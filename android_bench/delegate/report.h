// What the delegate says of itself, as JSON; README.md beside this file gives the format.
#pragma once

#include <string>
#include <vector>

#include "delegate/partition.h"

namespace tfkit {

std::string ToJson(const std::vector<NodeReport>&);

}  // namespace tfkit
