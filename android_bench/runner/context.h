// Facts about the machine the runner runs on.
#ifndef TFKIT_RUNNER_CONTEXT_H_
#define TFKIT_RUNNER_CONTEXT_H_

#include "runner/json.h"

namespace tfkit::runner {

// Appends one object: uname, the distinct "model name", "CPU part" ... lines of /proc/cpuinfo,
// logical CPUs, load averages.
void AppendContext(Json& json);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CONTEXT_H_
