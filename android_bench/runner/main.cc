// tfkit_bench: load, compile, check, measure one flatbuffer; one JSON document comes out.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <new>
#include <vector>

#include "runner/delegate.h"
#include "runner/failure.h"
#include "runner/files.h"
#include "runner/flags.h"
#include "runner/golden.h"
#include "runner/inputs.h"
#include "runner/litert.h"
#include "runner/measure.h"
#include "runner/report.h"
#include "runner/session.h"

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
  const std::int64_t start = Now();
  const LiteRtStatus status = session.Run();
  report.first_run_ns = Now() - start;
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

ExitCode Run(const Flags& flags) {
  Report report;
  std::int64_t start = Now();
  const LiteRt litert(flags.litert);
  const AlignedBytes model = ReadFile(flags.model);
  Session session(litert, model.data(), model.size());
  if (!flags.delegate.empty()) {
    RegisterDelegate(litert, session.environment(), {flags.delegate, flags.kernel, flags.threads});
  }
  report.custom_ops = session.CustomOps();
  report.load_ns = Now() - start;

  start = Now();
  session.Compile(flags.threads);
  report.compile_ns = Now() - start;
  report.inputs = session.inputs();
  report.outputs = session.outputs();

  const auto inputs = flags.inputs.empty() ? SeededInputs(report.inputs, flags.seed)
                                           : ReadTensors(flags.inputs, report.inputs, "input");
  std::vector<Bytes> first, last;
  FirstRun(session, inputs, report, first);
  report.delegate = DelegateReport();
  if (!flags.dump_outputs.empty()) WriteTensors(flags.dump_outputs, first);
  if (!MatchesGolden(flags, first, report)) {
    Emit(flags.json, ToJson(report, flags));
    return kGoldenMismatch;
  }
  if (flags.runs > 0) {
    report.warmup = WarmUp(session, flags);
    report.samples = Measure(session, inputs, flags, last);
    report.repeatable = last == first;
    report.measured = true;
  }
  Emit(flags.json, ToJson(report, flags));
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
