// The tfkit delegate as a LiteRT accelerator.
#ifndef TFKIT_RUNNER_DELEGATE_H_
#define TFKIT_RUNNER_DELEGATE_H_

#include <string>

#include "runner/litert.h"

namespace tfkit::runner {

struct DelegateOptions {
  std::string library;
  std::string kernel;  // empty: the delegate chooses
  int threads = 1;
  bool profile = false;  // time each node
};

// Makes LiteRT offer every model that is compiled in `environment` to the delegate in
// `options.library`, after XNNPACK. Throws Failure when the library does not load. Options that it
// refuses make the compilation fail; TakeDelegateError then tells why.
void RegisterDelegate(const LiteRt& litert, LiteRtEnvironment environment,
                      const DelegateOptions& options);

// The delegate's own JSON on which kernel it chose for which node (../delegate/README.md); empty
// when there is no delegate or it offers none. To be called while the compiled model lives.
std::string DelegateReport();

// What the delegate complained about since the last call; empty when it did not.
std::string TakeDelegateError();

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_DELEGATE_H_
