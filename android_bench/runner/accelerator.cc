#include "runner/accelerator.h"

namespace tfkit::runner {
namespace {

LiteRtStatus GetName(LiteRtAcceleratorConst, const char** name) {
  *name = "tfkit";
  return kLiteRtStatusOk;
}

LiteRtStatus GetVersion(LiteRtAcceleratorConst, LiteRtApiVersion* version) {
  *version = {0, 1, 0};
  return kLiteRtStatusOk;
}

LiteRtStatus GetHardwareSupport(LiteRtAcceleratorConst, LiteRtHwAcceleratorSet* set) {
  *set = kLiteRtHwAcceleratorCpu;
  return kLiteRtStatusOk;
}

}  // namespace

void RegisterAccelerator(const LiteRt& litert, LiteRtEnvironment environment,
                         LiteRtCreateDelegateCallback create) {
  LiteRtAccelerator accelerator = nullptr;
  Check(litert.CreateAccelerator(&accelerator), "creating an accelerator");
  Check(litert.SetAcceleratorGetName(accelerator, GetName), "naming the accelerator");
  Check(litert.SetAcceleratorGetVersion(accelerator, GetVersion), "versioning the accelerator");
  Check(litert.SetAcceleratorGetHardwareSupport(accelerator, GetHardwareSupport),
        "placing the accelerator");
  Check(litert.SetDelegateFunction(accelerator, create), "giving the accelerator its delegate");
  Check(litert.RegisterAccelerator(environment, accelerator, nullptr, nullptr),
        "registering the accelerator");
}

}  // namespace tfkit::runner
