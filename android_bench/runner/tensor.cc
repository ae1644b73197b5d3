#include "runner/tensor.h"

#include "runner/failure.h"

namespace tfkit::runner {

std::vector<std::int64_t> TensorInfo::Shape() const {
  return {type.layout.dimensions, type.layout.dimensions + type.layout.rank};
}

std::size_t TensorInfo::ElementCount() const {
  std::size_t count = 1;
  for (const auto n : Shape()) count *= static_cast<std::size_t>(n);
  return count;
}

std::size_t TensorInfo::ByteCount() const { return ElementCount() * TypeSize(type.element_type); }

const char* TypeName(LiteRtElementType type) {
  switch (type) {
    case kLiteRtElementTypeFloat32:
      return "float32";
    case kLiteRtElementTypeFloat16:
      return "float16";
    case kLiteRtElementTypeInt64:
      return "int64";
    case kLiteRtElementTypeInt32:
      return "int32";
    case kLiteRtElementTypeInt16:
      return "int16";
    case kLiteRtElementTypeInt8:
      return "int8";
    case kLiteRtElementTypeUInt8:
      return "uint8";
    case kLiteRtElementTypeBool:
      return "bool";
  }
  return nullptr;
}

std::size_t TypeSize(LiteRtElementType type) {
  switch (type) {
    case kLiteRtElementTypeInt64:
      return 8;
    case kLiteRtElementTypeFloat32:
    case kLiteRtElementTypeInt32:
      return 4;
    case kLiteRtElementTypeFloat16:
    case kLiteRtElementTypeInt16:
      return 2;
    case kLiteRtElementTypeInt8:
    case kLiteRtElementTypeUInt8:
    case kLiteRtElementTypeBool:
      return 1;
  }
  return 0;
}

void CheckTensor(const TensorInfo& tensor) {
  constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 31;  // TFLite's own offsets are 32-bit
  const std::string name = "tensor '" + tensor.name + "'";
  if (TypeName(tensor.type.element_type) == nullptr) {
    throw Failure(name + " has element type " + std::to_string(tensor.type.element_type) +
                  ", which is not supported");
  }
  if (tensor.type.layout.rank > kLiteRtTensorMaxRank)
    throw Failure(name + " has more than 8 dimensions");
  std::uint64_t bytes = TypeSize(tensor.type.element_type);
  for (const auto n : tensor.Shape()) {
    if (n <= 0) throw Failure(name + " has no fixed shape; convert the model with a fixed batch");
    bytes *= static_cast<std::uint64_t>(n);
    if (bytes > kMaxBytes) throw Failure(name + " is larger than 2 GiB");
  }
}

}  // namespace tfkit::runner
