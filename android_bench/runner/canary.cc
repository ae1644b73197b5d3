#include "runner/canary.h"

#include "runner/clock.h"

namespace tfkit::runner {

std::vector<std::int64_t> Canary() {
  constexpr int kRounds = 3;
  // Each step waits for the one before: a multiplication and an addition, 4 cycles or so.
  constexpr int kSteps = 5'000'000;
  std::vector<std::int64_t> times;
  volatile std::uint64_t result = 1;
  Clock clock;
  for (int round = 0; round < kRounds; ++round) {
    std::uint64_t state = result;
    clock.Read();
    const std::int64_t before = clock.elapsed();
    for (int i = 0; i < kSteps; ++i) state = state * 6364136223846793005u + 1442695040888963407u;
    result = state;
    clock.Read();
    times.push_back(clock.elapsed() - before);
  }
  return times;
}

}  // namespace tfkit::runner
