// The JSON document that the runner emits.
#ifndef TFKIT_RUNNER_REPORT_H_
#define TFKIT_RUNNER_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runner/flags.h"
#include "runner/golden.h"
#include "runner/measure.h"
#include "runner/tensor.h"

namespace tfkit::runner {

constexpr int kSchemaVersion = 1;

struct Report {
  std::vector<std::string> custom_ops;
  std::string delegate;  // its own JSON report; empty: none
  std::vector<TensorInfo> inputs, outputs;
  std::int64_t load_ns = 0;     // environment, delegate and model
  std::int64_t compile_ns = 0;  // with the allocation of tensors
  std::int64_t first_run_ns = 0;
  bool compared = false;
  std::vector<Comparison> golden;
  bool measured = false;
  WarmUpSummary warmup;
  Samples samples;
  bool repeatable = true;  // the last run gave the bytes of the first
};

std::string ToJson(const Report& report, const Flags& flags);

// {"schema_version": ..., "error": ...}
std::string ErrorToJson(const std::string& message);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_REPORT_H_
