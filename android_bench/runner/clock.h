// Time, and a watch over the clock that gives it.
#ifndef TFKIT_RUNNER_CLOCK_H_
#define TFKIT_RUNNER_CLOCK_H_

#include <cstdint>

namespace tfkit::runner {

// CLOCK_MONOTONIC_RAW in nanoseconds: no adjustment by NTP stretches an interval.
std::int64_t Now();

// Readings of a clock that ought not to run backwards; virtual machines and broken firmware have
// clocks that do.
class Clock {
 public:
  Clock() : last_(Now()) {}

  std::int64_t Read() {
    const std::int64_t now = Now();
    if (now < last_) {
      ++backward_steps_;
      if (last_ - now > largest_backward_) largest_backward_ = last_ - now;
    } else {
      elapsed_ += now - last_;
    }
    last_ = now;
    return now;
  }

  // Forward time between the readings so far: it grows whatever the clock does.
  std::int64_t elapsed() const { return elapsed_; }
  std::int64_t backward_steps() const { return backward_steps_; }
  std::int64_t largest_backward() const { return largest_backward_; }

 private:
  std::int64_t last_;
  std::int64_t elapsed_ = 0;
  std::int64_t backward_steps_ = 0;
  std::int64_t largest_backward_ = 0;
};

// What taking the time adds to a sample: the median over calls, timed as runs are, of a function
// with a run's parameters that does nothing.
std::int64_t ClockOverhead();

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CLOCK_H_
