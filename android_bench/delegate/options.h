// The delegate's options: strings from whoever loads it, and the environment.
#pragma once

#include <cstddef>
#include <string>

namespace tfkit {

struct Options {
  int num_threads = 0;   // 0: as many as the runtime recommends
  std::string kernel;    // forced kernel name; empty: the fastest that runs
  bool profile = false;  // count invocations and time of every node, for the report
};

// Throws std::invalid_argument naming the option, what was got and what is accepted.
// `environment_kernel` (TFKIT_KERNEL, may be null) is used where no option `kernel` is given.
Options ParseOptions(const char* const* keys, const char* const* values, std::size_t count,
                     const char* environment_kernel);

}  // namespace tfkit
