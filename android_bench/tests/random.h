// Random test data from a printed seed; TFKIT_TEST_SEED replays it.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace tfkit::testing {

std::uint64_t Seed();

class Random {
 public:
  // `stream` makes the data of one case independent of which other cases ran.
  explicit Random(std::uint64_t stream) : engine_(Seed() * 1000003 + stream) {}

  int Integer(int low, int high) { return low + static_cast<int>(engine_() % (high - low + 1)); }
  float Float(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_() >> 40) / (1 << 24);
  }
  // +1 and -1.
  std::vector<int> Signs(std::size_t count) {
    std::vector<int> signs(count);
    for (int& sign : signs) sign = engine_() >> 63 ? -1 : 1;
    return signs;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tfkit::testing
