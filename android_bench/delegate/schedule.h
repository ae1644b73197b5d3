// How the steps of a partition run: which of them together, and where the tensors between them lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "delegate/op.h"

namespace tfkit {

// What a schedule is made from: one step.
struct StepFacts {
  std::vector<int> inputs;  // tensors
  int output = 0;
  std::size_t output_bytes = 0;
  bool inner = false;  // nobody outside the partition reads the output
  Work work;
};

// Steps [first, last]. The last stage of the first step runs a few units at a time, and after each
// few the other steps run the same parts: what one has just written, the next reads from the cache.
struct Group {
  int first = 0;
  int last = 0;
  int threads = 1;            // that the steps together are worth
  std::int64_t block = 1;     // units of the first step that run before the next step does
  std::size_t scratch = 0;    // word of the arena where the group's scratch starts
  std::size_t own_words = 0;  // each thread's, behind what all share

  int steps() const { return last - first + 1; }
};

// Where an inner tensor lies.
struct Location {
  std::size_t word = 0;    // of the arena, or of each thread's own scratch
  bool of_thread = false;  // a thread keeps the block that it works on, nobody the whole tensor
  // Instead: at the start of this output of the partition. The runtime holds its memory all the
  // while, and nobody has use for it before the output is written.
  int output = kNowhere;
  static constexpr int kNowhere = -1;
};

struct Schedule {
  std::vector<Group> groups;
  std::map<int, Location> places;
  std::size_t words = 0;         // of the arena
  std::size_t tensor_words = 0;  // if it held tensors alone
};

Schedule MakeSchedule(const std::vector<StepFacts>&, int max_threads);

}  // namespace tfkit
