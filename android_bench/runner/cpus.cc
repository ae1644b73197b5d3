#include "runner/cpus.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <set>
#include <sstream>

#include "runner/failure.h"

namespace tfkit::runner {
namespace {

constexpr int kMaxCpus = 1024;

std::optional<int> CpuNumber(const std::string& text) {
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != text.npos)
    return std::nullopt;
  const int cpu = std::atoi(text.c_str());
  return cpu < kMaxCpus ? std::optional<int>(cpu) : std::nullopt;
}

std::string ToText(const CpuList& cpus) {
  std::string text;
  for (const int cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

CpuList Common(const CpuList& a, const CpuList& b) {
  CpuList both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

CpuList OnlineCpus(const SystemFiles& files) {
  const auto text = files.Text("/sys/devices/system/cpu/online");
  if (const auto cpus = text ? ParseCpuList(*text) : std::nullopt) return *cpus;
  CpuList cpus(static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN))));
  std::iota(cpus.begin(), cpus.end(), 0);
  return cpus;
}

}  // namespace

std::optional<CpuList> ParseCpuList(const std::string& text) {
  std::set<int> cpus;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto dash = part.find('-');
    const auto first = CpuNumber(part.substr(0, dash));
    const auto last = dash == part.npos ? first : CpuNumber(part.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.insert(cpu);
  }
  if (cpus.empty() || text.back() == ',') return std::nullopt;
  return CpuList(cpus.begin(), cpus.end());
}

std::vector<Cluster> Clusters(const SystemFiles& files) {
  std::vector<Cluster> cpus;
  for (const int cpu : OnlineCpus(files)) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
    cpus.push_back({{cpu},
                    files.Integer(folder + "/cpu_capacity"),
                    files.Integer(folder + "/cpufreq/cpuinfo_max_freq")});
  }
  const bool by_capacity =
      std::all_of(cpus.begin(), cpus.end(), [](auto& c) { return c.capacity; });
  const auto speed = [=](const Cluster& c) {
    return by_capacity ? c.capacity.value_or(0) : c.max_khz.value_or(0);
  };
  std::stable_sort(cpus.begin(), cpus.end(),
                   [&](const auto& a, const auto& b) { return speed(a) > speed(b); });
  std::vector<Cluster> clusters;
  for (const Cluster& cpu : cpus) {
    if (clusters.empty() || speed(clusters.back()) != speed(cpu)) {
      clusters.push_back(cpu);
    } else {
      clusters.back().cpus.push_back(cpu.cpus[0]);
    }
  }
  return clusters;
}

CpuList AllowedCpus(const SystemFiles& files) {
  const auto status = files.Text("/proc/self/status");
  const auto list = status ? Field(*status, "Cpus_allowed_list") : std::nullopt;
  if (const auto cpus = list ? ParseCpuList(*list) : std::nullopt) return *cpus;
  return OnlineCpus(files);
}

CpuList ChooseCpus(const std::string& asked, int threads, const std::vector<Cluster>& clusters,
                   const CpuList& allowed) {
  CpuList online;
  for (const auto& cluster : clusters)
    online.insert(online.end(), cluster.cpus.begin(), cluster.cpus.end());
  std::sort(online.begin(), online.end());
  if (asked == "big") {
    std::string found;
    for (const auto& cluster : clusters) {
      const CpuList cpus = Common(cluster.cpus, allowed);
      if (cpus.size() >= static_cast<std::size_t>(threads)) return cpus;
      found += (found.empty() ? "" : "; ") + ToText(cpus);
    }
    throw Failure("--cpus big: no cluster has " + std::to_string(threads) +
                  " CPUs that this process may use (" + found +
                  "); give fewer --threads, or --cpus all");
  }
  if (asked == "all") return Common(online, allowed);
  const auto cpus = ParseCpuList(asked);
  if (!cpus || Common(*cpus, online) != *cpus) {
    throw Failure("--cpus " + asked + ": this machine has the CPUs " + ToText(online));
  }
  return *cpus;
}

}  // namespace tfkit::runner
