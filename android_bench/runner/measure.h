// Warm-up and the timed loop.
#ifndef TFKIT_RUNNER_MEASURE_H_
#define TFKIT_RUNNER_MEASURE_H_

#include <cstdint>
#include <set>
#include <vector>

#include "runner/flags.h"
#include "runner/session.h"

namespace tfkit::runner {

// One entry per run, in order, in nanoseconds. A run during which the clock ran backwards has none.
struct Samples {
  std::vector<std::int64_t> input_write_ns;
  std::vector<std::int64_t> run_ns;  // around LiteRtRunCompiledModel alone
  std::vector<std::int64_t> output_read_ns;
  std::int64_t total_ns = 0;
  std::int64_t backward_steps = 0;
  std::int64_t largest_backward_ns = 0;
  std::set<int> cpus;  // where the main thread stood after a run
  std::int64_t migrations = 0;
};

// Millions of warm-up runs of a small model are not worth keeping one by one.
struct WarmUpSummary {
  std::int64_t runs = 0;
  std::int64_t total_ns = 0;
  bool stable = false;                // the last 5 were as fast as the 5 before, within 2 %
  std::vector<std::int64_t> last_ns;  // the last 10 at most, in order
};

// At least flags.warmup_runs and flags.warmup_seconds; then, until flags.warmup_stable_seconds have
// passed, until the median of the last 5 runs is within 2 % of that of the 5 before. But no run
// begins when flags.max_seconds (or flags.warmup_seconds, if more) have passed. Throws Failure when
// a run fails.
WarmUpSummary WarmUp(Session& session, const Flags& flags);

// At least flags.runs and flags.min_seconds, but never more than flags.max_runs nor
// flags.max_seconds. `outputs` receives those of the last run. Throws Failure when a run fails.
Samples Measure(Session& session, const std::vector<Bytes>& inputs, const Flags& flags,
                std::vector<Bytes>& outputs);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_MEASURE_H_
