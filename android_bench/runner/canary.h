// A fixed piece of arithmetic: if it takes longer than it did, the core has been slowed down.
#ifndef TFKIT_RUNNER_CANARY_H_
#define TFKIT_RUNNER_CANARY_H_

#include <cstdint>
#include <vector>

namespace tfkit::runner {

// Nanoseconds of three rounds of it, some 10 ms each on a core of 2 GHz. It touches no memory: only
// the core's clock, and who else uses the core, changes its time.
std::vector<std::int64_t> Canary();

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_CANARY_H_
