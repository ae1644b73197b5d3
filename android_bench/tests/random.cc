#include "tests/random.h"

#include <cstdlib>

namespace tfkit::testing {

std::uint64_t Seed() {
  static const std::uint64_t seed = [] {
    const char* replay = std::getenv("TFKIT_TEST_SEED");
    return replay ? std::strtoull(replay, nullptr, 10) : 20240817ull;
  }();
  return seed;
}

}  // namespace tfkit::testing
