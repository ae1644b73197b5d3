#include "runner/report.h"

#include "runner/context.h"
#include "runner/json.h"

namespace tfkit::runner {
namespace {

void AppendTensors(Json& json, const std::vector<TensorInfo>& tensors) {
  json.BeginArray();
  for (const auto& tensor : tensors) {
    json.BeginObject();
    json.Key("name").String(tensor.name);
    json.Key("dtype").String(TypeName(tensor.type.element_type));
    json.Key("shape").Integers(tensor.Shape());
    json.EndObject();
  }
  json.EndArray();
}

void AppendGolden(Json& json, const std::vector<Comparison>& comparisons) {
  json.BeginArray();
  for (const auto& c : comparisons) {
    json.BeginObject();
    json.Key("ok").Bool(c.ok);
    json.Key("largest_difference").Real(c.largest);
    json.Key("allowed_difference").Real(c.allowed);
    json.Key("elements_outside").Integer(c.differing);
    json.Key("first_outside").Integer(c.first);
    json.EndObject();
  }
  json.EndArray();
}

void AppendMeasurement(Json& json, const Measurement& m) {
  json.BeginObject();
  json.Key("clock").String("CLOCK_MONOTONIC_RAW");
  json.Key("clock_overhead_ns").Integer(m.clock_overhead_ns);
  json.Key("backward_steps").Integer(m.samples.backward_steps);
  json.Key("largest_backward_ns").Integer(m.samples.largest_backward_ns);
  json.Key("warmup").BeginObject();
  json.Key("runs").Integer(m.warmup.runs);
  json.Key("total_ns").Integer(m.warmup.total_ns);
  json.Key("stable").Bool(m.warmup.stable);
  json.Key("last_ns").Integers(m.warmup.last_ns);
  json.EndObject();
  json.Key("run_ns").Integers(m.samples.run_ns);
  json.Key("input_write_ns").Integers(m.samples.input_write_ns);
  json.Key("output_read_ns").Integers(m.samples.output_read_ns);
  json.Key("total_ns").Integer(m.samples.total_ns);
  json.Key("repeatable").Bool(m.repeatable);
  json.EndObject();
}

void AppendAffinity(Json& json, const Report& report) {
  json.BeginObject();
  AppendAffinity(json, report.affinity);
  json.Key("main_cpus");
  if (report.measurement) {
    const auto& cpus = report.measurement->samples.cpus;
    json.Integers({cpus.begin(), cpus.end()});
    json.Key("migrations").Integer(report.measurement->samples.migrations);
  } else {
    json.Null().Key("migrations").Null();
  }
  json.EndObject();
}

}  // namespace

std::string ToJson(const Report& report, const Flags& flags, const SystemFiles& files) {
  Json json;
  json.BeginObject();
  json.Key("schema_version").Integer(kSchemaVersion);
  json.Key("mode").String(Name(flags.mode));
  json.Key("threads").Integer(flags.threads);
  json.Key("seed");
  if (flags.inputs.empty()) {
    json.Unsigned(flags.seed);
  } else {
    json.Null();
  }
  json.Key("inputs");
  AppendTensors(json, report.inputs);
  json.Key("outputs");
  AppendTensors(json, report.outputs);
  json.Key("custom_ops").Strings(report.custom_ops);
  json.Key("delegate").Document(report.delegate);
  json.Key("load_ns").Integer(report.load_ns);
  json.Key("compile_ns").Integer(report.compile_ns);
  json.Key("first_run_ns").Integer(report.first_run_ns);
  json.Key("golden");
  if (report.compared) {
    AppendGolden(json, report.golden);
  } else {
    json.Null();
  }
  json.Key("affinity");
  AppendAffinity(json, report);
  if (report.measurement) {
    json.Key("measurement");
    AppendMeasurement(json, *report.measurement);
    json.Key("conditions").BeginObject();
    json.Key("before");
    AppendConditions(json, report.measurement->before);
    json.Key("after");
    AppendConditions(json, report.measurement->after);
    json.EndObject();
  } else {
    json.Key("measurement").Null();
    json.Key("conditions").Null();
  }
  json.Key("memory").Document(report.memory);
  json.Key("profile").Document(report.profile);
  json.Key("context");
  AppendContext(json, files);
  json.EndObject();
  return json.text() + "\n";
}

std::string ErrorToJson(const std::string& message) {
  Json json;
  json.BeginObject()
      .Key("schema_version")
      .Integer(kSchemaVersion)
      .Key("error")
      .String(message)
      .EndObject();
  return json.text() + "\n";
}

}  // namespace tfkit::runner
