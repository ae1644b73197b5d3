// Random partitions: no tensor lies where another is still needed, whatever the schedule is.
#include <gtest/gtest.h>

#include <algorithm>

#include "delegate/schedule.h"
#include "tests/random.h"

namespace tfkit {
namespace {

constexpr int kInput = 1000;  // from here on: tensors that the runtime gives
constexpr int kRows = 4;

// Steps of the kinds that there are: convolutions, sums in place, quantization, pooling.
std::vector<StepFacts> RandomSteps(testing::Random& random) {
  std::vector<StepFacts> steps;
  const int count = random.Integer(1, 12);
  for (int i = 0; i < count; ++i) {
    const auto any = [&] {
      const int earlier = random.Integer(-2, i - 1);
      return earlier < 0 ? kInput - earlier : random.Integer(std::max(0, i - 4), i - 1);
    };
    StepFacts step;
    step.inputs = {i > 0 && random.Integer(0, 2) ? i - 1 : any()};
    step.output = i;
    step.output_bytes = kRows * 64 * std::size_t(random.Integer(1, 2));
    step.inner = random.Integer(0, 3) > 0;
    step.work.units = {random.Integer(0, 3) ? kRows : kRows + 1};
    step.work.writes_parts = random.Integer(0, 1);
    switch (random.Integer(0, 3)) {
      case 0:
        step.inputs.push_back(any());
        step.work.in_place = step.work.reads_parts = step.work.writes_parts = true;
        break;
      case 1:
        step.work.reads_parts = true;
        break;
      case 2:
        step.work.own_words = step.work.shared_words = 8;
        break;
    }
    steps.push_back(step);
  }
  return steps;
}

// Where a tensor lies, and the groups from its writer to its last reader.
struct Life {
  int home = -1;  // an output in whose memory it lies; -1: the arena; -2: each thread's own
  std::size_t begin = 0;
  std::size_t end = 0;
  int first = 0;
  int last = 0;
};

class Lives {
 public:
  Lives(const std::vector<StepFacts>& steps, const Schedule& schedule) : steps_(steps) {
    for (int g = 0; g < static_cast<int>(schedule.groups.size()); ++g) {
      groups_.insert(groups_.end(), schedule.groups[g].steps(), g);
    }
    for (const StepFacts& step : steps) {
      Life life;
      life.first = groups_[step.output];
      life.last = step.inner ? LastReader(step.output) : static_cast<int>(schedule.groups.size());
      life.home = step.output;
      if (step.inner) {
        const Location& place = schedule.places.at(step.output);
        life.home = place.of_thread ? -2 : place.output;
        if (life.home == -1) life.begin = place.word * 8;
      }
      life.end = life.begin + step.output_bytes;
      all_.push_back(life);
    }
  }

  // A pair may share memory if one is written, in place, by the only step of its group and later
  // ones that reads the other.
  bool MayMeet(int earlier, int later) const {
    const StepFacts& step = steps_[later];
    if (!step.work.in_place || step.output_bytes != steps_[earlier].output_bytes) return false;
    for (int i = 0; i < static_cast<int>(steps_.size()); ++i) {
      const bool reads = std::count(steps_[i].inputs.begin(), steps_[i].inputs.end(), earlier) > 0;
      if (i == later ? !reads : reads && groups_[i] >= groups_[later]) return false;
    }
    return true;
  }

  const std::vector<Life>& all() const { return all_; }

 private:
  int LastReader(int tensor) const {
    int last = groups_[tensor];
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const std::vector<int>& inputs = steps_[i].inputs;
      if (std::count(inputs.begin(), inputs.end(), tensor) > 0) last = std::max(last, groups_[i]);
    }
    return last;
  }

  const std::vector<StepFacts>& steps_;
  std::vector<int> groups_;  // of each step
  std::vector<Life> all_;    // of each step's output
};

TEST(ScheduleRandom, NothingLiesWhereAnotherIsNeeded) {
  int in_outputs = 0, met = 0;
  for (int stream = 0; stream < 3000; ++stream) {
    SCOPED_TRACE(::testing::Message() << "stream " << stream << ", seed " << testing::Seed());
    testing::Random random(stream);
    const std::vector<StepFacts> steps = RandomSteps(random);
    const Schedule schedule = MakeSchedule(steps, random.Integer(1, 3));
    const Lives lives(steps, schedule);
    for (int b = 0; b < static_cast<int>(steps.size()); ++b) {
      const Life& later = lives.all()[b];
      if (later.home == -2) continue;
      if (later.home >= 0) {
        ASSERT_LE(later.end, steps[later.home].output_bytes);
        ASSERT_FALSE(steps[later.home].inner);
        in_outputs += later.home != b;
      } else {
        ASSERT_LE(later.end, schedule.words * 8);
      }
      for (int a = 0; a < b; ++a) {
        const Life& earlier = lives.all()[a];
        if (earlier.home != later.home || earlier.end <= later.begin ||
            later.end <= earlier.begin || earlier.last < later.first) {
          continue;
        }
        ASSERT_TRUE(lives.MayMeet(a, b)) << a << " and " << b;
        ++met;
      }
    }
  }
  EXPECT_GT(in_outputs, 300);
  EXPECT_GT(met, 300);
}

}  // namespace
}  // namespace tfkit
