// Which CPUs a machine has, how fast they are, and which of them to measure on.
#ifndef TFKIT_RUNNER_CPUS_H_
#define TFKIT_RUNNER_CPUS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/system_files.h"

namespace tfkit::runner {

using CpuList = std::vector<int>;  // ascending, each once

// "0-3,6" as the kernel writes it; nothing when it is no such list.
std::optional<CpuList> ParseCpuList(const std::string& text);

// CPUs of one speed. Both figures are empty where sysfs does not tell them.
struct Cluster {
  CpuList cpus;
  std::optional<std::int64_t> capacity;
  std::optional<std::int64_t> max_khz;
};

// The CPUs that are online, fastest cluster first: by cpu_capacity, and where the kernel gives that
// for no or only some of them, by the highest frequency.
std::vector<Cluster> Clusters(const SystemFiles& files);

// The CPUs on which the kernel lets this process run.
CpuList AllowedCpus(const SystemFiles& files);

// `asked` is a list, "all" (that are allowed) or "big": the fastest cluster that has `threads`
// allowed CPUs. Clusters are never mixed: threads of unequal speed wait for the slowest. Throws
// Failure when there are no such CPUs.
CpuList ChooseCpus(const std::string& asked, int threads, const std::vector<Cluster>& clusters,
                   const CpuList& allowed);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CPUS_H_
