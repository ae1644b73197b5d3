// What the runner knows about one input or output.
#ifndef TFKIT_RUNNER_TENSOR_H_
#define TFKIT_RUNNER_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "abi/litert.h"

namespace tfkit::runner {

using Bytes = std::vector<std::uint8_t>;

struct TensorInfo {
  std::string name;
  LiteRtRankedTensorType type{};

  std::vector<std::int64_t> Shape() const;
  std::size_t ElementCount() const;
  std::size_t ByteCount() const;
};

// Name in NumPy's words ("float32"), or nullptr for a type the runner does not carry.
const char* TypeName(LiteRtElementType type);

// Bytes per element of a type that TypeName knows.
std::size_t TypeSize(LiteRtElementType type);

// Throws Failure unless the type is known, every dimension is positive and the size is one that a
// tensor can have: all of it comes from an untrusted file.
void CheckTensor(const TensorInfo& tensor);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_TENSOR_H_
