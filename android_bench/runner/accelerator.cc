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

// The JIT question is left to LiteRT's answer for accelerators without one: the CPU is among what
// the runner asks for anyway.
void Register(const LiteRt& litert, LiteRtEnvironment environment,
              const LiteRtAcceleratorDef& definition) {
  LiteRtAccelerator accelerator = nullptr;
  Check(litert.CreateAccelerator(&accelerator), "creating an accelerator");
  Check(litert.SetAcceleratorGetName(accelerator, definition.get_name), "naming the accelerator");
  Check(litert.SetAcceleratorGetVersion(accelerator, definition.get_version),
        "versioning the accelerator");
  Check(litert.SetAcceleratorGetHardwareSupport(accelerator, definition.get_hardware_support),
        "placing the accelerator");
  Check(litert.SetDelegateFunction(accelerator, definition.create_delegate),
        "giving the accelerator its delegate");
  Check(litert.RegisterAccelerator(environment, accelerator, nullptr, nullptr),
        "registering the accelerator");
}

}  // namespace

void RegisterAccelerator(const LiteRt& litert, LiteRtEnvironment environment,
                         LiteRtCreateDelegateCallback create) {
  LiteRtAcceleratorDef definition{};
  definition.get_name = GetName;
  definition.get_version = GetVersion;
  definition.get_hardware_support = GetHardwareSupport;
  definition.create_delegate = create;
  Register(litert, environment, definition);
}

LiteRtHwAcceleratorSet AutomaticAccelerators(const LiteRt& litert) {
  return litert.cpu_accelerator == nullptr ? kLiteRtHwAcceleratorCpu : kLiteRtHwAcceleratorNone;
}

void RegisterXnnpack(const LiteRt& litert, LiteRtEnvironment environment) {
  if (litert.cpu_accelerator != nullptr) Register(litert, environment, *litert.cpu_accelerator);
}

}  // namespace tfkit::runner
