#include "runner/clock.h"

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "abi/litert.h"

namespace tfkit::runner {
namespace {

LiteRtStatus NoRun(LiteRtCompiledModel, LiteRtParamIndex, std::size_t, LiteRtTensorBuffer*,
                   std::size_t, LiteRtTensorBuffer*) {
  return kLiteRtStatusOk;
}

}  // namespace

std::int64_t Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC_RAW, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::int64_t ClockOverhead() {
  constexpr int kCalls = 1001;
  decltype(&NoRun) volatile run = NoRun;  // called through a pointer, as the runtime is
  std::vector<std::int64_t> samples;
  samples.reserve(kCalls);
  Clock clock;
  for (int i = 0; i < kCalls; ++i) {
    const std::int64_t before = clock.Read();
    run(nullptr, 0, 0, nullptr, 0, nullptr);
    samples.push_back(std::max<std::int64_t>(0, clock.Read() - before));
  }
  std::nth_element(samples.begin(), samples.begin() + kCalls / 2, samples.end());
  return samples[kCalls / 2];
}

}  // namespace tfkit::runner
