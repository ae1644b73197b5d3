// The one rule by which an op's kernel is chosen: a pure function of shape, CPU and forced name.
#pragma once

#include <string>
#include <vector>

#include "kernels/cpu.h"
#include "kernels/names.h"

namespace tfkit {

template <typename Kernel>
struct Selection {
  const Kernel* kernel = nullptr;  // null: see error
  std::string error;
};

// Without a forced name: the first kernel of the list (fastest first) that runs this shape on this
// CPU. With one: that kernel or an error, never silently another. A name that only other ops have
// leaves this op to its default, so that one name can be forced on a whole model.
template <typename Kernel, typename Shape>
Selection<Kernel> SelectFrom(const std::vector<const Kernel*>& kernels, const Shape& shape,
                             const Cpu& cpu, const std::string& forced) {
  if (!forced.empty()) {
    if (!IsKernelName(forced)) {
      return {nullptr, "no kernel is named '" + forced + "'; there are: " + KernelNames()};
    }
    for (const Kernel* kernel : kernels) {
      if (forced != kernel->name) continue;
      if (kernel->runs(shape, cpu)) return {kernel, ""};
      return {nullptr, "kernel '" + forced + "' cannot run this shape on this CPU"};
    }
  }
  for (const Kernel* kernel : kernels) {
    if (kernel->runs(shape, cpu)) return {kernel, ""};
  }
  return {nullptr, "no kernel runs this shape on this CPU"};
}

}  // namespace tfkit
