// The one way the runner gives up: an exception that carries the exit code.
#ifndef TFKIT_RUNNER_FAILURE_H_
#define TFKIT_RUNNER_FAILURE_H_

#include <stdexcept>
#include <string>

namespace tfkit::runner {

enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kGoldenMismatch = 3 };

class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& what, ExitCode code = kFailed)
      : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_FAILURE_H_
