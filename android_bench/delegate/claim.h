// Which nodes of a graph the delegate takes.
#pragma once

#include <vector>

#include "abi/tflite.h"
#include "delegate/options.h"

namespace tfkit {

// All of LCE's ops, and the runtime's ADD where it takes the float output of a binary convolution:
// it then runs row by row behind the convolution. Throws Unsupported, naming the node, if one of
// LCE's ops cannot be run; an ADD that is not as needed stays with the runtime.
std::vector<int> NodesToClaim(TfLiteContext*, const Options&);

}  // namespace tfkit
