// A TFLite delegate as a LiteRT accelerator for the CPU.
#ifndef TFKIT_RUNNER_ACCELERATOR_H_
#define TFKIT_RUNNER_ACCELERATOR_H_

#include "runner/litert.h"

namespace tfkit::runner {

// LiteRT offers every model that is compiled in `environment` to the delegate that `create` makes,
// after those of the accelerators that were registered before.
void RegisterAccelerator(const LiteRt& litert, LiteRtEnvironment environment,
                         LiteRtCreateDelegateCallback create);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_ACCELERATOR_H_
