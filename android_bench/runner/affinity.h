// On which CPUs the process may run, and on which it really ran.
#ifndef TFKIT_RUNNER_AFFINITY_H_
#define TFKIT_RUNNER_AFFINITY_H_

#include <string>
#include <vector>

#include "runner/cpus.h"
#include "runner/json.h"
#include "runner/system_files.h"

namespace tfkit::runner {

// A thread of this process: the CPU that it ran on last (-1 where the kernel does not tell), and
// those that it may run on.
struct ThreadPlace {
  std::string name;
  int cpu = -1;
  CpuList allowed;
};

struct Affinity {
  std::string asked;  // empty: nothing was set
  CpuList cpus;
  bool applied = false;
  std::string error;
  std::vector<Cluster> clusters;
  // Ids of threads that were there before the program began: an emulator's own.
  std::vector<std::string> foreign;
  std::vector<ThreadPlace> threads;
};

// To be called before any thread is started, since threads inherit it. What the kernel refuses is
// reported, not thrown. Throws Failure when `asked` means no CPUs of this machine.
Affinity SetAffinity(const std::string& asked, int threads, const SystemFiles& files);

// All threads of the process but the foreign ones, as they are now.
std::vector<ThreadPlace> ObserveThreads(const Affinity& affinity, const SystemFiles& files);

// The CPU of the calling thread, or -1.
int CurrentCpu();

// The members of the document's "affinity" that this module knows.
void AppendAffinity(Json& json, const Affinity& affinity);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_AFFINITY_H_
