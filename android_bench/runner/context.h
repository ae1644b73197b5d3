// Facts about the machine the runner runs on.
#ifndef TFKIT_RUNNER_CONTEXT_H_
#define TFKIT_RUNNER_CONTEXT_H_

#include "runner/json.h"
#include "runner/system_files.h"

namespace tfkit::runner {

// Appends one object: uname, the distinct "model name", "CPU part" ... lines of /proc/cpuinfo,
// logical CPUs, load averages, and the cpuset and cgroups, which differ between a shell and an app.
void AppendContext(Json& json, const SystemFiles& files);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CONTEXT_H_
