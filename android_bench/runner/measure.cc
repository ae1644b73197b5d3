#include "runner/measure.h"

#include <algorithm>
#include <cmath>

#include "runner/affinity.h"
#include "runner/clock.h"

namespace tfkit::runner {
namespace {

double Seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

double MedianOfFive(const std::int64_t* first) {
  std::int64_t five[5];
  std::copy(first, first + 5, five);
  std::nth_element(five, five + 2, five + 5);
  return static_cast<double>(five[2]);
}

bool Stable(const std::vector<std::int64_t>& last_ten) {
  if (last_ten.size() < 10) return false;
  const double before = MedianOfFive(last_ten.data());
  return std::fabs(MedianOfFive(last_ten.data() + 5) - before) <= 0.02 * before;
}

}  // namespace

WarmUpSummary WarmUp(Session& session, const Flags& flags) {
  WarmUpSummary warmup;
  Clock clock;
  const auto enough = [&] {
    const double elapsed = Seconds(clock.elapsed());
    if (elapsed >= std::max(flags.max_seconds, flags.warmup_seconds)) return true;
    if (warmup.runs < flags.warmup_runs || elapsed < flags.warmup_seconds) return false;
    return elapsed >= flags.warmup_stable_seconds || Stable(warmup.last_ns);
  };
  while (!enough()) {
    clock.Read();
    const std::int64_t before = clock.elapsed();
    Check(session.Run(), "a warm-up run");
    clock.Read();
    if (warmup.last_ns.size() == 10) warmup.last_ns.erase(warmup.last_ns.begin());
    warmup.last_ns.push_back(clock.elapsed() - before);
    ++warmup.runs;
  }
  warmup.total_ns = clock.elapsed();
  warmup.stable = Stable(warmup.last_ns);
  return warmup;
}

Samples Measure(Session& session, const std::vector<Bytes>& inputs, const Flags& flags,
                std::vector<Bytes>& outputs) {
  Samples samples;
  // Room for the usual case, so that no reallocation falls between two runs.
  for (auto* column : {&samples.input_write_ns, &samples.run_ns, &samples.output_read_ns})
    column->reserve(1 << 16);
  int cpu = -1;
  Clock clock;
  std::int64_t done = 0;
  double elapsed = 0.0;
  while (done < flags.runs || (elapsed < flags.min_seconds && done < flags.max_runs)) {
    const std::int64_t steps = clock.backward_steps();
    const std::int64_t t0 = clock.Read();
    session.Write(inputs);
    const std::int64_t t1 = clock.Read();
    const LiteRtStatus status = session.Run();
    const std::int64_t t2 = clock.Read();
    Check(status, "a timed run");
    session.Read(outputs);
    const std::int64_t t3 = clock.Read();
    if (clock.backward_steps() == steps) {
      samples.input_write_ns.push_back(t1 - t0);
      samples.run_ns.push_back(t2 - t1);
      samples.output_read_ns.push_back(t3 - t2);
    }
    const int now_on = CurrentCpu();
    samples.cpus.insert(now_on);
    if (cpu >= 0 && now_on != cpu) ++samples.migrations;
    cpu = now_on;
    ++done;
    elapsed = Seconds(clock.elapsed());
    if (elapsed >= flags.max_seconds) break;
  }
  samples.total_ns = clock.elapsed();
  samples.backward_steps = clock.backward_steps();
  samples.largest_backward_ns = clock.largest_backward();
  return samples;
}

}  // namespace tfkit::runner
