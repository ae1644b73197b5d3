#include "delegate/group_run.h"

#include <algorithm>
#include <chrono>

#include "kernels/buffer.h"

namespace tfkit {
namespace {

// Where the tensor would start for its parts from `part` on to lie where they do. Ops find a part
// by its distance from the start, whether the parts before it exist or not.
char* Start(const Operand& operand, std::uint64_t* own, std::int64_t part) {
  if (operand.data) return operand.data;
  const auto place = reinterpret_cast<std::uintptr_t>(own) + operand.own_offset;
  return reinterpret_cast<char*>(place - part * operand.part_bytes);
}

}  // namespace

GroupRun::GroupRun(const Group& group, const Work& first, std::vector<GroupStep> steps,
                   std::uint64_t* scratch, bool profile)
    : group_(group),
      work_(first),
      steps_(std::move(steps)),
      shared_(scratch),
      own_(scratch + AlignedWords(first.shared_words)),
      profile_(profile) {}

void GroupRun::Run(ThreadPool::Session& session) {
  const auto body = [](void* run, int thread, std::int64_t begin, std::int64_t end) {
    static_cast<GroupRun*>(run)->RunUnits(thread, begin, end);
  };
  for (std::int64_t units : work_.units) {
    session.Run(group_.threads, units, this, body);
    ++stage_;
  }
}

void GroupRun::RunUnits(int thread, std::int64_t begin, std::int64_t end) {
  const bool last_stage = stage_ + 1 == static_cast<int>(work_.units.size());
  if (!last_stage || steps_.size() == 1) {
    RunStep(thread, steps_[0], stage_, begin, end);
    return;
  }
  for (; begin < end; begin += group_.block) {
    const std::int64_t block_end = std::min(begin + group_.block, end);
    RunStep(thread, steps_[0], stage_, begin, block_end);
    for (std::size_t i = 1; i < steps_.size(); ++i) {
      RunStep(thread, steps_[i], 0, begin, block_end);
    }
  }
}

void GroupRun::RunStep(int thread, GroupStep& step, int stage, std::int64_t begin,
                       std::int64_t end) {
  using Clock = std::chrono::steady_clock;
  const bool timed = profile_ && thread == 0;
  const auto start = timed ? Clock::now() : Clock::time_point();
  std::uint64_t* const own = own_ + thread * group_.own_words;
  const Buffers buffers = {{Start(step.inputs[0], own, begin), Start(step.inputs[1], own, begin)},
                           Start(step.output, own, begin),
                           shared_};
  step.op->Run(buffers, stage, begin * step.units_per_part, end * step.units_per_part, own);
  if (!timed) return;
  step.nanoseconds +=
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

}  // namespace tfkit
