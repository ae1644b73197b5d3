#include "runner/affinity.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace tfkit::runner {
namespace {

constexpr char kTasks[] = "/proc/self/task";

std::vector<std::int64_t> Numbers(const CpuList& cpus) { return {cpus.begin(), cpus.end()}; }

// Empty on success, else why not.
std::string Apply(const CpuList& cpus) {
  cpu_set_t wanted, got;
  CPU_ZERO(&wanted);
  for (const int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &wanted);
  if (sched_setaffinity(0, sizeof(wanted), &wanted) != 0) return std::strerror(errno);
  CPU_ZERO(&got);
  if (sched_getaffinity(0, sizeof(got), &got) != 0) return std::strerror(errno);
  // A cpuset that allows only some of them makes the kernel take those without a word.
  return CPU_EQUAL(&wanted, &got) ? "" : "the kernel allows only some of these CPUs";
}

// Field 39 of /proc/PID/stat; the name in field 2 stands in parentheses and may hold anything.
int LastCpu(const std::string& stat) {
  const auto end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return -1;
  std::istringstream fields(stat.substr(end_of_name + 1));
  std::string field;
  for (int number = 3; number <= 39; ++number) {
    if (!(fields >> field)) return -1;
  }
  return std::atoi(field.c_str());
}

// The mask is the calling thread's and goes to those that it starts, not to these. Asked of the
// real kernel, whatever root is scripted.
std::vector<std::string> OtherThreads() {
  std::vector<std::string> ids = SystemFiles("/").List(kTasks);
  ids.erase(std::remove(ids.begin(), ids.end(), std::to_string(getpid())), ids.end());
  return ids;
}

}  // namespace

Affinity SetAffinity(const std::string& asked, int threads, const SystemFiles& files) {
  Affinity affinity;
  affinity.asked = asked;
  affinity.clusters = Clusters(files);
  affinity.cpus = AllowedCpus(files);
  affinity.foreign = OtherThreads();
  if (asked.empty()) return affinity;
  affinity.cpus = ChooseCpus(asked, threads, affinity.clusters, affinity.cpus);
  affinity.error = Apply(affinity.cpus);
  affinity.applied = affinity.error.empty();
  return affinity;
}

std::vector<ThreadPlace> ObserveThreads(const Affinity& affinity, const SystemFiles& files) {
  const std::string tasks = kTasks;
  const auto& foreign = affinity.foreign;
  std::vector<ThreadPlace> threads;
  for (const std::string& id : files.List(tasks)) {
    if (std::find(foreign.begin(), foreign.end(), id) != foreign.end()) continue;
    const auto stat = files.Text(tasks + "/" + id + "/stat");
    if (!stat) continue;  // it has ended
    const auto status = files.Text(tasks + "/" + id + "/status").value_or("");
    const auto allowed = ParseCpuList(Field(status, "Cpus_allowed_list").value_or(""));
    threads.push_back(
        {Field(status, "Name").value_or(""), LastCpu(*stat), allowed.value_or(CpuList{})});
  }
  return threads;
}

int CurrentCpu() { return sched_getcpu(); }

void AppendAffinity(Json& json, const Affinity& affinity) {
  json.Key("asked").OptionalString(affinity.asked);
  json.Key("cpus").Integers(Numbers(affinity.cpus));
  json.Key("applied").Bool(affinity.applied);
  json.Key("error").OptionalString(affinity.error);
  json.Key("clusters").BeginArray();
  for (const auto& cluster : affinity.clusters) {
    json.BeginObject();
    json.Key("cpus").Integers(Numbers(cluster.cpus));
    json.Key("capacity").Optional(cluster.capacity);
    json.Key("max_khz").Optional(cluster.max_khz);
    json.EndObject();
  }
  json.EndArray();
  json.Key("threads").BeginArray();
  for (const auto& thread : affinity.threads) {
    json.BeginObject();
    json.Key("name").String(thread.name);
    json.Key("cpu").Integer(thread.cpu);
    json.Key("allowed").Integers(Numbers(thread.allowed));
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace tfkit::runner
