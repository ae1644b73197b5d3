// What surrounds a measurement and can spoil it: frequencies, temperatures, throttling, other work.
#ifndef TFKIT_RUNNER_CONDITIONS_H_
#define TFKIT_RUNNER_CONDITIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/json.h"
#include "runner/system_files.h"

namespace tfkit::runner {

// One cpufreq policy: the CPUs that share a clock. What the kernel does not tell is empty.
struct FrequencyPolicy {
  std::string name;
  std::optional<std::string> cpus;
  std::optional<std::string> governor;
  std::optional<std::int64_t> min_khz, max_khz, current_khz;
  bool has_residency = false;
  std::vector<std::pair<std::int64_t, std::int64_t>> residency;  // kHz, ms since boot
};

struct ThermalZone {
  std::string zone;
  std::string type;
  std::int64_t millidegrees = 0;
};

struct Conditions {
  std::vector<std::int64_t> canary_ns;
  std::vector<FrequencyPolicy> policies;
  std::vector<ThermalZone> thermal;
  std::int64_t voluntary_switches = 0;
  std::int64_t involuntary_switches = 0;
  std::int64_t major_faults = 0;
};

// The canary runs first, so that the files are read right before what follows.
Conditions ConditionsBefore(const SystemFiles& files);
// The files are read first, so that they tell of what went before.
Conditions ConditionsAfter(const SystemFiles& files);

void AppendConditions(Json& json, const Conditions& conditions);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CONDITIONS_H_
