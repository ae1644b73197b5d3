// libLiteRt.so, loaded at run time, so that one binary works with several versions of it.
#ifndef TFKIT_RUNNER_LITERT_H_
#define TFKIT_RUNNER_LITERT_H_

#include <string>

#include "abi/litert.h"

namespace tfkit::runner {

// One pointer per function of TFKIT_LITERT_FUNCTIONS, named without the "LiteRt".
struct LiteRt {
  // Throws Failure when the library does not load or lacks a function. It stays loaded until the
  // process ends.
  explicit LiteRt(const std::string& path);

#define TFKIT_DECLARE(result, name, parameters) result(*name) parameters = nullptr;
  TFKIT_LITERT_FUNCTIONS(TFKIT_DECLARE)
#undef TFKIT_DECLARE

  // XNNPACK's, or null when this LiteRT does not show it, or not as those of 2.1.6 to 2.3.0 do.
  const LiteRtAcceleratorDef* cpu_accelerator = nullptr;
};

// Throws Failure with `what` and the status's name unless `status` is success.
void Check(LiteRtStatus status, const std::string& what);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_LITERT_H_
