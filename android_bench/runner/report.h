// The JSON document that the runner emits.
#ifndef TFKIT_RUNNER_REPORT_H_
#define TFKIT_RUNNER_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/affinity.h"
#include "runner/conditions.h"
#include "runner/flags.h"
#include "runner/golden.h"
#include "runner/measure.h"
#include "runner/system_files.h"
#include "runner/tensor.h"

namespace tfkit::runner {

constexpr int kSchemaVersion = 2;

// Mode latency.
struct Measurement {
  WarmUpSummary warmup;
  std::int64_t clock_overhead_ns = 0;
  Conditions before, after;
  Samples samples;
  bool repeatable = true;  // the last run gave the bytes of the first
};

struct Report {
  std::vector<std::string> custom_ops;
  std::string delegate;  // its own JSON report; empty: none
  std::vector<TensorInfo> inputs, outputs;
  std::int64_t load_ns = 0;     // environment, delegate and model
  std::int64_t compile_ns = 0;  // with the allocation of tensors
  std::int64_t first_run_ns = 0;
  bool compared = false;
  std::vector<Comparison> golden;
  Affinity affinity;
  std::optional<Measurement> measurement;
  std::string memory, profile;  // JSON already; empty: not this mode's
};

std::string ToJson(const Report& report, const Flags& flags, const SystemFiles& files);

// {"schema_version": ..., "error": ...}
std::string ErrorToJson(const std::string& message);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_REPORT_H_
