// Which kernels the tests have run. A kernel that this CPU can run and no test has is a failure: a
// fast path that silently stopped being chosen would otherwise pass every test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/selection.h"

namespace tfkit::testing {

void RecordRun(const std::string& op, const std::string& kernel);

// Fails, naming them, if a kernel that runs here was never recorded.
void ExpectAllKernelsCovered();

// Runs `body` with every kernel of an op that can run `shape` here, each selected by its name, and
// checks that it is the one that was selected.
template <typename Kernel, typename Shape, typename SelectFunction, typename Body>
void ForEachKernel(const std::string& op, const std::vector<const Kernel*>& kernels,
                   const Shape& shape, SelectFunction select, Body body) {
  for (const Kernel* kernel : kernels) {
    if (FitOf(*kernel, shape, HostCpu()) == Fit::kCannot) continue;
    const auto selection = select(shape, HostCpu(), kernel->name);
    ASSERT_EQ(selection.kernel, kernel) << op << " " << kernel->name << ": " << selection.error;
    SCOPED_TRACE(op + " kernel " + kernel->name);
    body(*kernel);
    RecordRun(op, kernel->name);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace tfkit::testing
