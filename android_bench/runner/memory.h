// What the process holds, stage by stage.
#ifndef TFKIT_RUNNER_MEMORY_H_
#define TFKIT_RUNNER_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/json.h"
#include "runner/system_files.h"

namespace tfkit::runner {

// Bytes; empty where the kernel does not tell (smaps_rollup came with Linux 4.14).
struct MemoryStage {
  std::string stage;
  std::optional<std::int64_t> vm_hwm, vm_rss, rss_anon, rss_file;
  std::optional<std::int64_t> pss, pss_anon, pss_file, private_dirty;
};

class MemoryLog {
 public:
  explicit MemoryLog(const SystemFiles& files) : files_(files) {}

  // Reads the figures, then resets the kernel's high-water mark for the stage that follows.
  void Record(const std::string& stage);

  void Append(Json& json, std::int64_t runs) const;

 private:
  const SystemFiles& files_;
  std::vector<MemoryStage> stages_;
  bool hwm_reset_ = true;
};

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_MEMORY_H_
