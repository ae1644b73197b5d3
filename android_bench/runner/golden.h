// Does the device compute what the host's reference computed?
#ifndef TFKIT_RUNNER_GOLDEN_H_
#define TFKIT_RUNNER_GOLDEN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runner/tensor.h"

namespace tfkit::runner {

struct Tolerance {
  double relative = 0.0;     // floats: |x - golden| <= relative * max|golden| over the output
  std::int64_t integer = 0;  // integers: |x - golden| <= integer
};

// How one output compares. `largest` is the largest |x - golden|, in the output's own numbers.
struct Comparison {
  bool ok = true;
  double largest = 0.0;
  double allowed = 0.0;
  std::int64_t differing = 0;  // elements outside the tolerance
  std::int64_t first = -1;     // index of the first of them
};

// NaN equals NaN only; an infinity equals only itself. Both vectors hold `tensor.ByteCount()`
// bytes.
Comparison Compare(const TensorInfo& tensor, const Bytes& got, const Bytes& golden,
                   const Tolerance& tolerance);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_GOLDEN_H_
