// tfkit_bench: load, compile, check, measure one flatbuffer; one JSON document comes out.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "runner/accelerator.h"
#include "runner/affinity.h"
#include "runner/clock.h"
#include "runner/conditions.h"
#include "runner/delegate.h"
#include "runner/failure.h"
#include "runner/files.h"
#include "runner/flags.h"
#include "runner/golden.h"
#include "runner/inputs.h"
#include "runner/json.h"
#include "runner/litert.h"
#include "runner/measure.h"
#include "runner/memory.h"
#include "runner/plan.h"
#include "runner/profile.h"
#include "runner/report.h"
#include "runner/session.h"
#include "runner/system_files.h"

namespace tfkit::runner {
namespace {

void Emit(const std::string& path, const std::string& document) {
  if (path != "-") return WriteFile(path, document);
  const std::size_t written = std::fwrite(document.data(), 1, document.size(), stdout);
  if (std::fflush(stdout) != 0 || written != document.size())
    throw Failure("cannot write to standard output");
}

// An output may equal one pattern by right, but not two.
void CheckWritten(Session& session, std::uint8_t pattern) {
  const auto suspects = session.OutputsHolding(pattern);
  if (suspects.empty()) return;
  const auto other = static_cast<std::uint8_t>(~pattern);
  session.FillOutputs(other);
  Check(session.Run(), "the first run again");
  for (const std::size_t i : session.OutputsHolding(other)) {
    if (std::find(suspects.begin(), suspects.end(), i) == suspects.end()) continue;
    throw Failure("the model reported success but never wrote output '" +
                  session.outputs()[i].name + "'");
  }
}

// A failed kernel shows in the status; some failures show only in an output that was never written.
void FirstRun(Session& session, const std::vector<Bytes>& inputs, Report& report,
              std::vector<Bytes>& outputs) {
  constexpr std::uint8_t kPattern = 0xA5;
  session.Write(inputs);
  session.FillOutputs(kPattern);
  Clock clock;
  const LiteRtStatus status = session.Run();
  clock.Read();
  report.first_run_ns = clock.elapsed();
  Check(status, "the first run");
  CheckWritten(session, kPattern);
  session.Read(outputs);
}

bool MatchesGolden(const Flags& flags, const std::vector<Bytes>& outputs, Report& report) {
  if (flags.golden.empty()) return true;
  const auto golden = ReadTensors(flags.golden, report.outputs, "golden");
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    report.golden.push_back(Compare(report.outputs[i], outputs[i], golden[i],
                                    {flags.relative_tolerance, flags.integer_tolerance}));
  }
  report.compared = true;
  return std::all_of(report.golden.begin(), report.golden.end(),
                     [](const auto& c) { return c.ok; });
}

Measurement MeasureLatency(Session& session, const std::vector<Bytes>& inputs, const Flags& flags,
                           const std::vector<Bytes>& first, const SystemFiles& files) {
  Measurement m;
  std::vector<Bytes> last;
  m.clock_overhead_ns = ClockOverhead();
  m.warmup = WarmUp(session, flags);
  m.before = ConditionsBefore(files);
  // The caches held the files last; a few runs give them back to the model.
  for (std::int64_t i = 0; i < std::min<std::int64_t>(flags.warmup_runs, 5); ++i)
    Check(session.Run(), "a warm-up run");
  m.samples = Measure(session, inputs, flags, last);
  m.after = ConditionsAfter(files);
  m.repeatable = last == first;
  return m;
}

std::string ProfileToJson(Session& session, const Flags& flags, const std::vector<PlanNode>& plan) {
  WarmUp(session, flags);
  const std::string delegate_before = DelegateReport();
  const Profile profile = TakeProfile(session, plan, flags.runs);
  Json json;
  AppendProfile(json, profile, plan, delegate_before);
  return json.text();
}

std::string MemoryToJson(Session& session, const Flags& flags, MemoryLog& memory) {
  for (std::int64_t i = 0; i < flags.runs; ++i) Check(session.Run(), "a run");
  memory.Record("after_runs");
  Json json;
  memory.Append(json, flags.runs);
  return json.text();
}

ExitCode Run(const Flags& flags) {
  const SystemFiles files(flags.root);
  Report report;
  report.affinity = SetAffinity(flags.cpus, flags.threads, files);
  MemoryLog memory(files);
  const auto stage = [&](const char* name) {
    if (flags.mode == Mode::kMemory) memory.Record(name);
  };
  const bool profiled = flags.mode == Mode::kProfile;

  stage("empty");
  Clock clock;
  const LiteRt litert(flags.litert);
  const MappedFile model(flags.model);
  Session session(litert, model.data(), model.size());
  if (!flags.delegate.empty()) {
    RegisterDelegate(litert, session.environment(),
                     {flags.delegate, flags.kernel, flags.threads, profiled});
  }
  RegisterXnnpack(litert, session.environment());
  std::vector<PlanNode> plan;
  if (profiled) ObservePlan(litert, session.environment(), plan);
  report.custom_ops = session.CustomOps();
  clock.Read();
  report.load_ns = clock.elapsed();
  stage("loaded");

  clock.Read();
  const std::int64_t loaded = clock.elapsed();
  session.Compile(flags.threads, profiled);
  clock.Read();
  report.compile_ns = clock.elapsed() - loaded;
  report.inputs = session.inputs();
  report.outputs = session.outputs();
  stage("compiled");

  const auto inputs = flags.inputs.empty() ? SeededInputs(report.inputs, flags.seed)
                                           : ReadTensors(flags.inputs, report.inputs, "input");
  std::vector<Bytes> first;
  FirstRun(session, inputs, report, first);
  stage("first_run");
  report.delegate = DelegateReport();
  if (!flags.dump_outputs.empty()) WriteTensors(flags.dump_outputs, first);
  if (!MatchesGolden(flags, first, report)) {
    Emit(flags.json, ToJson(report, flags, files));
    return kGoldenMismatch;
  }
  switch (flags.mode) {
    case Mode::kLatency:
      if (flags.runs > 0) report.measurement = MeasureLatency(session, inputs, flags, first, files);
      break;
    case Mode::kMemory:
      report.memory = MemoryToJson(session, flags, memory);
      break;
    case Mode::kProfile:
      report.profile = ProfileToJson(session, flags, plan);
      break;
  }
  report.affinity.threads = ObserveThreads(report.affinity, files);
  report.delegate = DelegateReport();
  Emit(flags.json, ToJson(report, flags, files));
  return kDone;
}

int Fail(const std::string& json, const std::string& message, ExitCode code) {
  std::fprintf(stderr, "tfkit_bench: %s\n", message.c_str());
  try {
    Emit(json, ErrorToJson(message));
  } catch (const Failure&) {
    // The message is on standard error already.
  }
  return code;
}

}  // namespace
}  // namespace tfkit::runner

int main(int argc, char** argv) {
  using namespace tfkit::runner;
  Flags flags;
  try {
    flags = ParseFlags(argc, argv);
    if (flags.help) {
      std::fputs(Usage(), stdout);
      return kDone;
    }
    return Run(flags);
  } catch (const Failure& failure) {
    const std::string delegate = TakeDelegateError();
    return Fail(flags.json,
                delegate.empty() ? failure.what() : delegate + " (" + failure.what() + ")",
                failure.code());
  } catch (const std::bad_alloc&) {
    return Fail(flags.json, "out of memory", kFailed);
  } catch (const std::exception& error) {
    return Fail(flags.json, error.what(), kFailed);
  }
}
