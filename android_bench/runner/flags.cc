#include "runner/flags.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include "runner/failure.h"
#include "runner/profile.h"

namespace tfkit::runner {
namespace {

[[noreturn]] void Refuse(const std::string& message) {
  throw Failure(message + "; see --help", kUsage);
}

std::int64_t Integer(const std::string& flag, const std::string& text, std::int64_t low,
                     std::int64_t high) {
  errno = 0;
  char* end = nullptr;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || value < low || value > high) {
    Refuse(flag + " takes an integer in [" + std::to_string(low) + ", " + std::to_string(high) +
           "], got '" + text + "'");
  }
  return value;
}

std::uint64_t Unsigned(const std::string& flag, const std::string& text) {
  errno = 0;
  char* end = nullptr;
  const unsigned long long value = std::strtoull(text.c_str(), &end, 10);
  // strtoull accepts "-1" and wraps it around.
  if (text.empty() || text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
    Refuse(flag + " takes an integer in [0, 2^64), got '" + text + "'");
  }
  return value;
}

double Real(const std::string& flag, const std::string& text) {
  errno = 0;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || errno != 0 || !std::isfinite(value) || value < 0) {
    Refuse(flag + " takes a number >= 0, got '" + text + "'");
  }
  return value;
}

Mode ModeNamed(const std::string& name) {
  for (const Mode mode : {Mode::kLatency, Mode::kMemory, Mode::kProfile}) {
    if (name == Name(mode)) return mode;
  }
  Refuse("--mode is one of latency, memory, profile; got '" + name + "'");
}

void CheckTogether(const Flags& f) {
  if (f.model.empty()) Refuse("--model is required");
  if (f.max_runs < f.runs) Refuse("--max-runs is smaller than --runs");
  if (!f.kernel.empty() && f.delegate.empty()) Refuse("--kernel needs --delegate");
  if (f.mode == Mode::kProfile && f.runs < kFewestProfiledRuns) {
    Refuse("--mode profile needs --runs of at least " + std::to_string(kFewestProfiledRuns) +
           ": its clock ticks in microseconds; got " + std::to_string(f.runs));
  }
}

}  // namespace

const char* Name(Mode mode) {
  switch (mode) {
    case Mode::kLatency:
      return "latency";
    case Mode::kMemory:
      return "memory";
    case Mode::kProfile:
      return "profile";
  }
  return nullptr;
}

Flags ParseFlags(int argc, const char* const* argv) {
  constexpr std::int64_t kMaxRuns = 10'000'000;
  Flags f;
  using Setter = std::function<void(const std::string&, const std::string&)>;
  const auto text = [](std::string& out) -> Setter {
    return [&out](const std::string&, const std::string& value) { out = value; };
  };
  const auto real = [](double& out) -> Setter {
    return [&out](const std::string& flag, const std::string& value) { out = Real(flag, value); };
  };
  const auto count = [](std::int64_t& out) -> Setter {
    return [&out](const std::string& flag, const std::string& value) {
      out = Integer(flag, value, 0, kMaxRuns);
    };
  };
  const std::map<std::string, Setter> setters = {
      {"--mode", [&](const auto&, const auto& v) { f.mode = ModeNamed(v); }},
      {"--model", text(f.model)},
      {"--litert", text(f.litert)},
      {"--delegate", text(f.delegate)},
      {"--kernel", text(f.kernel)},
      {"--threads", [&](const auto& flag,
                        const auto& v) { f.threads = static_cast<int>(Integer(flag, v, 1, 256)); }},
      {"--cpus", text(f.cpus)},
      {"--root", text(f.root)},
      {"--seed", [&](const auto& flag, const auto& v) { f.seed = Unsigned(flag, v); }},
      {"--inputs", text(f.inputs)},
      {"--golden", text(f.golden)},
      {"--relative-tolerance", real(f.relative_tolerance)},
      {"--integer-tolerance", count(f.integer_tolerance)},
      {"--dump-outputs", text(f.dump_outputs)},
      {"--warmup-runs", count(f.warmup_runs)},
      {"--warmup-seconds", real(f.warmup_seconds)},
      {"--warmup-stable-seconds", real(f.warmup_stable_seconds)},
      {"--runs", count(f.runs)},
      {"--max-runs", count(f.max_runs)},
      {"--min-seconds", real(f.min_seconds)},
      {"--max-seconds", real(f.max_seconds)},
      {"--json", text(f.json)},
  };

  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      f.help = true;
      return f;
    }
    std::string value;
    const auto equals = flag.find('=');
    const bool joined = equals != std::string::npos;
    if (joined) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    }
    const auto setter = setters.find(flag);
    if (setter == setters.end()) Refuse("unknown flag '" + flag + "'");
    if (!joined) {
      if (++i == argc) Refuse(flag + " needs a value");
      value = argv[i];
    }
    setter->second(flag, value);
  }
  CheckTogether(f);
  return f;
}

const char* Usage() {
  return R"(usage: tfkit_bench --model FILE [flags]

Loads a TFLite flatbuffer in LiteRT, checks its output, measures it, prints one JSON document.

  --model FILE                  the flatbuffer
  --mode NAME                   latency (default), memory or profile: each in a process of its own
  --litert FILE                 libLiteRt.so (default: by the loader's search path)
  --delegate FILE               libtfkit_delegate.so; default: none
  --kernel NAME                 force one kernel of the delegate
  --threads N                   default 1
  --cpus LIST|big|all           run on these only: 4-7 or 0,2; big: the fastest cluster with a CPU for each thread
  --seed N                      of the inputs, default 0 (splitmix64, see runner/inputs.h)
  --inputs FILE                 raw inputs in the model's order, one after the other, instead of seeded ones
  --golden FILE                 expected outputs, likewise; a mismatch is exit code 3 and nothing is measured
  --relative-tolerance R        float outputs: |x - golden| <= R * max|golden| per output; default 0
  --integer-tolerance N         integer outputs: |x - golden| <= N; default 0
  --dump-outputs FILE           write the outputs of the first run
  --warmup-runs N               at least, default 5
  --warmup-seconds S            at least, default 0.5
  --warmup-stable-seconds S     then until the median of 5 runs is within 2 % of the 5 before, at most S; default 0
  --runs N                      at least, default 64; 0 measures nothing
  --min-seconds S               at least, default 0, unless --max-runs is reached
  --max-runs N                  stop there, default 10000
  --max-seconds S               stop even if N is not reached, default 60
  --root DIR                    read /proc and /sys below this folder, for tests; default /
  --json FILE|-                 default: standard output

exit codes: 0 done, 1 failed, 2 usage, 3 golden mismatch
)";
}

}  // namespace tfkit::runner
