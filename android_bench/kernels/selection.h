// The one rule by which an op's kernel is chosen: a pure function of shape, CPU and forced name.
#pragma once

#include <iterator>
#include <string>
#include <vector>

#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/names.h"

namespace tfkit {

template <typename Kernel>
struct Selection {
  const Kernel* kernel = nullptr;  // null: see error
  std::string error;
};

// A kernel's own code, `fit` included, may need its instructions: it is asked only where they
// exist.
template <typename Kernel, typename Shape>
Fit FitOf(const Kernel& kernel, const Shape& shape, const Cpu& cpu) {
  return Has(cpu, kernel.isa) ? kernel.fit(shape, cpu) : Fit::kCannot;
}

// Without a forced name: the first kernel of the list (fastest first) that suits this shape on this
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
      if (FitOf(*kernel, shape, cpu) != Fit::kCannot) return {kernel, ""};
      return {nullptr, "kernel '" + forced + "' cannot run this shape on this CPU"};
    }
  }
  for (const Kernel* kernel : kernels) {
    if (FitOf(*kernel, shape, cpu) == Fit::kSuits) return {kernel, ""};
  }
  return {nullptr, "no kernel suits this shape on this CPU"};
}

// An op's select.h makes its two functions of these and its list: Kernels() for all kernels of the
// op, fastest first, and Select(shape, cpu, forced) for the choice among them.
template <typename Kernel, const auto& list>
const std::vector<const Kernel*>& ListOf() {
  static const std::vector<const Kernel*> all(std::begin(list), std::end(list));
  return all;
}

template <typename Kernel, typename Shape, const auto& list>
Selection<Kernel> SelectIn(const Shape& shape, const Cpu& cpu, const std::string& forced) {
  return SelectFrom(ListOf<Kernel, list>(), shape, cpu, forced);
}

}  // namespace tfkit
