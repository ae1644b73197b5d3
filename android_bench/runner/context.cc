#include "runner/context.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace tfkit::runner {
namespace {

// Distinct values per key, in order of appearance: big.LITTLE chips list several CPU parts.
std::map<std::string, std::vector<std::string>> CpuInfo(const SystemFiles& files) {
  static const char* const kKeys[] = {"model name", "Hardware", "Model",       "CPU implementer",
                                      "CPU part",   "Features", "CPU revision"};
  std::map<std::string, std::vector<std::string>> facts;
  std::istringstream lines(files.Text("/proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    if (std::find(std::begin(kKeys), std::end(kKeys), key) == std::end(kKeys)) continue;
    const auto start = line.find_first_not_of(" \t", colon + 1);
    const std::string value = start == std::string::npos ? "" : line.substr(start);
    auto& values = facts[key];
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return facts;
}

}  // namespace

void AppendContext(Json& json, const SystemFiles& files) {
  json.BeginObject();
  utsname name;
  if (uname(&name) == 0) {
    json.Key("uname").BeginObject();
    json.Key("sysname").String(name.sysname).Key("release").String(name.release);
    json.Key("version").String(name.version).Key("machine").String(name.machine);
    json.EndObject();
  }
  json.Key("logical_cpus").Integer(sysconf(_SC_NPROCESSORS_ONLN));
  json.Key("cpuinfo").BeginObject();
  for (const auto& [key, values] : CpuInfo(files)) json.Key(key).Strings(values);
  json.EndObject();
  // The file, since getloadavg came to Android as late as version 10.
  std::istringstream load(files.Text("/proc/loadavg").value_or(""));
  json.Key("load_average").BeginArray();
  double average = 0;
  for (int i = 0; i < 3 && load >> average; ++i) json.Real(average);
  json.EndArray();
  json.Key("cpuset").OptionalString(files.Text("/proc/self/cpuset").value_or(""));
  json.Key("cgroup").OptionalString(files.Text("/proc/self/cgroup").value_or(""));
  json.EndObject();
}

}  // namespace tfkit::runner
