// One run of a group of a schedule.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/op.h"
#include "delegate/schedule.h"
#include "delegate/thread_pool.h"

namespace tfkit {

// A tensor as a group's steps reach it.
struct Operand {
  char* data = nullptr;        // null: in each thread's own scratch,
  std::size_t own_offset = 0;  // so many bytes from its start, the thread's present block alone
  std::size_t part_bytes = 0;  // of a part that belongs to one unit of the first step
};

struct GroupStep {
  const Op* op = nullptr;
  Operand inputs[2];
  Operand output;
  std::int64_t units_per_part = 1;
  std::int64_t nanoseconds = 0;  // that the calling thread spent in it; counted when profiling
};

class GroupRun {
 public:
  GroupRun(const Group&, const Work& first, std::vector<GroupStep>, std::uint64_t* scratch,
           bool profile);

  void Run(ThreadPool::Session&);
  const std::vector<GroupStep>& steps() const { return steps_; }

 private:
  void RunUnits(int thread, std::int64_t begin, std::int64_t end);
  void RunStep(int thread, GroupStep&, int stage, std::int64_t begin, std::int64_t end);

  const Group& group_;
  const Work& work_;  // of the first step
  std::vector<GroupStep> steps_;
  std::uint64_t* const shared_;
  std::uint64_t* const own_;  // of thread 0; the others' follow
  const bool profile_;
  int stage_ = 0;
};

}  // namespace tfkit
