#include "runner/conditions.h"

#include <sys/resource.h>

#include <sstream>

#include "runner/canary.h"

namespace tfkit::runner {
namespace {

// A line per frequency: kHz, and the time at it in units of 10 ms.
bool ReadResidency(const std::optional<std::string>& text,
                   std::vector<std::pair<std::int64_t, std::int64_t>>& residency) {
  if (!text) return false;
  std::istringstream lines(*text);
  for (std::int64_t khz, time; lines >> khz >> time;) residency.emplace_back(khz, time * 10);
  return true;
}

std::vector<FrequencyPolicy> Policies(const SystemFiles& files) {
  const std::string folder = "/sys/devices/system/cpu/cpufreq";
  std::vector<FrequencyPolicy> policies;
  for (const std::string& name : files.List(folder)) {
    if (name.rfind("policy", 0) != 0) continue;
    const std::string path = folder + "/" + name + "/";
    FrequencyPolicy& policy = policies.emplace_back();
    policy.name = name;
    policy.cpus = files.Text(path + "related_cpus");
    policy.governor = files.Text(path + "scaling_governor");
    policy.min_khz = files.Integer(path + "scaling_min_freq");
    policy.max_khz = files.Integer(path + "scaling_max_freq");
    policy.current_khz = files.Integer(path + "scaling_cur_freq");
    policy.has_residency =
        ReadResidency(files.Text(path + "stats/time_in_state"), policy.residency);
  }
  return policies;
}

std::vector<ThermalZone> Thermal(const SystemFiles& files) {
  const std::string folder = "/sys/class/thermal";
  std::vector<ThermalZone> zones;
  for (const std::string& name : files.List(folder)) {
    if (name.rfind("thermal_zone", 0) != 0) continue;
    const auto millidegrees = files.Integer(folder + "/" + name + "/temp");
    if (!millidegrees) continue;  // a sensor that is switched off
    zones.push_back({name, files.Text(folder + "/" + name + "/type").value_or(""), *millidegrees});
  }
  return zones;
}

void ReadFiles(const SystemFiles& files, Conditions& conditions) {
  conditions.policies = Policies(files);
  conditions.thermal = Thermal(files);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  conditions.voluntary_switches = usage.ru_nvcsw;
  conditions.involuntary_switches = usage.ru_nivcsw;
  conditions.major_faults = usage.ru_majflt;
}

// "0 1 2 3", as related_cpus lists them.
std::vector<std::int64_t> Numbers(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::int64_t> numbers;
  for (std::int64_t number; words >> number;) numbers.push_back(number);
  return numbers;
}

void AppendPolicy(Json& json, const FrequencyPolicy& policy) {
  json.BeginObject();
  json.Key("policy").String(policy.name);
  json.Key("cpus");
  policy.cpus ? json.Integers(Numbers(*policy.cpus)) : json.Null();
  json.Key("governor");
  policy.governor ? json.String(*policy.governor) : json.Null();
  json.Key("min_khz").Optional(policy.min_khz);
  json.Key("max_khz").Optional(policy.max_khz);
  json.Key("cur_khz").Optional(policy.current_khz);
  json.Key("time_in_state_ms");
  if (policy.has_residency) {
    json.BeginArray();
    for (const auto& [khz, ms] : policy.residency) json.Integers({khz, ms});
    json.EndArray();
  } else {
    json.Null();
  }
  json.EndObject();
}

}  // namespace

Conditions ConditionsBefore(const SystemFiles& files) {
  Conditions conditions;
  conditions.canary_ns = Canary();
  ReadFiles(files, conditions);
  return conditions;
}

Conditions ConditionsAfter(const SystemFiles& files) {
  Conditions conditions;
  ReadFiles(files, conditions);
  conditions.canary_ns = Canary();
  return conditions;
}

void AppendConditions(Json& json, const Conditions& conditions) {
  json.BeginObject();
  json.Key("canary_ns").Integers(conditions.canary_ns);
  json.Key("policies").BeginArray();
  for (const auto& policy : conditions.policies) AppendPolicy(json, policy);
  json.EndArray();
  json.Key("thermal").BeginArray();
  for (const auto& zone : conditions.thermal) {
    json.BeginObject();
    json.Key("zone").String(zone.zone).Key("type").String(zone.type);
    json.Key("millidegrees").Integer(zone.millidegrees);
    json.EndObject();
  }
  json.EndArray();
  json.Key("voluntary_switches").Integer(conditions.voluntary_switches);
  json.Key("involuntary_switches").Integer(conditions.involuntary_switches);
  json.Key("major_faults").Integer(conditions.major_faults);
  json.EndObject();
}

}  // namespace tfkit::runner
