// The kernel names of all ops together: what TFKIT_KERNEL and the delegate option `kernel` accept.
#pragma once

#include <string>
#include <string_view>

namespace tfkit {

bool IsKernelName(std::string_view name);

// All names, for messages: "popcnt, portable, reference".
std::string KernelNames();

}  // namespace tfkit
