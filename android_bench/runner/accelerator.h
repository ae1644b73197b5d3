// A TFLite delegate as a LiteRT accelerator for the CPU.
#ifndef TFKIT_RUNNER_ACCELERATOR_H_
#define TFKIT_RUNNER_ACCELERATOR_H_

#include "runner/litert.h"

namespace tfkit::runner {

// LiteRT offers every model that is compiled in `environment` to the delegate that `create` makes,
// after those of the accelerators that were registered before.
void RegisterAccelerator(const LiteRt& litert, LiteRtEnvironment environment,
                         LiteRtCreateDelegateCallback create);

// What LiteRT has to register itself when it makes an environment: nothing where the next function
// can do it.
LiteRtHwAcceleratorSet AutomaticAccelerators(const LiteRt& litert);

// XNNPACK for all that the delegates before it leave, as TFLite's interpreters do it. By itself
// LiteRT registers XNNPACK with the environment, before any other.
void RegisterXnnpack(const LiteRt& litert, LiteRtEnvironment environment);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_ACCELERATOR_H_
