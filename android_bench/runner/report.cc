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

}  // namespace

std::string ToJson(const Report& report, const Flags& flags) {
  Json json;
  json.BeginObject();
  json.Key("schema_version").Integer(kSchemaVersion);
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
  json.Key("delegate");
  if (report.delegate.empty()) {
    json.Null();
  } else {
    json.Verbatim(report.delegate);
  }
  json.Key("load_ns").Integer(report.load_ns);
  json.Key("compile_ns").Integer(report.compile_ns);
  json.Key("first_run_ns").Integer(report.first_run_ns);
  json.Key("golden");
  if (report.compared) {
    AppendGolden(json, report.golden);
  } else {
    json.Null();
  }
  json.Key("measurement");
  if (report.measured) {
    json.BeginObject();
    json.Key("clock").String("CLOCK_MONOTONIC_RAW");
    json.Key("warmup").BeginObject();
    json.Key("runs").Integer(report.warmup.runs);
    json.Key("total_ns").Integer(report.warmup.total_ns);
    json.Key("last_ns").Integers(report.warmup.last_ns);
    json.EndObject();
    json.Key("run_ns").Integers(report.samples.run_ns);
    json.Key("input_write_ns").Integers(report.samples.input_write_ns);
    json.Key("output_read_ns").Integers(report.samples.output_read_ns);
    json.Key("repeatable").Bool(report.repeatable);
    json.EndObject();
  } else {
    json.Null();
  }
  json.Key("context");
  AppendContext(json);
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
