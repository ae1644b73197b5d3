// The command line of tfkit_bench.
#ifndef TFKIT_RUNNER_FLAGS_H_
#define TFKIT_RUNNER_FLAGS_H_

#include <cstdint>
#include <string>

namespace tfkit::runner {

enum class Mode { kLatency, kMemory, kProfile };

const char* Name(Mode mode);

struct Flags {
  Mode mode = Mode::kLatency;
  std::string model;
  std::string litert = "libLiteRt.so";
  std::string delegate;  // empty: none
  std::string kernel;    // empty: the delegate chooses
  int threads = 1;
  std::string cpus;        // empty: wherever the kernel puts the threads
  std::string root = "/";  // of /proc and /sys

  std::uint64_t seed = 0;
  std::string inputs;  // empty: seeded
  std::string golden;  // empty: no comparison
  double relative_tolerance = 0.0;
  std::int64_t integer_tolerance = 0;
  std::string dump_outputs;

  std::int64_t warmup_runs = 5;
  double warmup_seconds = 0.5;
  double warmup_stable_seconds = 0.0;
  std::int64_t runs = 64;
  std::int64_t max_runs = 10000;
  double min_seconds = 0.0;
  double max_seconds = 60.0;

  std::string json = "-";
  bool help = false;
};

// Throws Failure(kUsage) for an unknown flag, a missing or a bad value. Flags are `--name value` or
// `--name=value`.
Flags ParseFlags(int argc, const char* const* argv);

// The text of --help.
const char* Usage();

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_FLAGS_H_
