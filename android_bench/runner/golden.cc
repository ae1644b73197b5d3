#include "runner/golden.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tfkit::runner {
namespace {

template <typename T>
T At(const Bytes& bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

double HalfToDouble(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  double magnitude = 0.0;
  if (exponent == 0x1F) {
    magnitude = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else {
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  }
  return half >> 15 ? -magnitude : magnitude;
}

// Exact for every type but int64 beyond 2^53, whose differences are taken in integers below.
double Value(LiteRtElementType type, const Bytes& bytes, std::size_t i) {
  switch (type) {
    case kLiteRtElementTypeFloat32:
      return At<float>(bytes, i);
    case kLiteRtElementTypeFloat16:
      return HalfToDouble(At<std::uint16_t>(bytes, i));
    case kLiteRtElementTypeInt8:
      return At<std::int8_t>(bytes, i);
    case kLiteRtElementTypeUInt8:
    case kLiteRtElementTypeBool:
      return At<std::uint8_t>(bytes, i);
    case kLiteRtElementTypeInt16:
      return At<std::int16_t>(bytes, i);
    case kLiteRtElementTypeInt32:
      return At<std::int32_t>(bytes, i);
    case kLiteRtElementTypeInt64:
      return static_cast<double>(At<std::int64_t>(bytes, i));
  }
  return NAN;
}

double Difference(LiteRtElementType type, const Bytes& got, const Bytes& golden, std::size_t i) {
  if (type == kLiteRtElementTypeInt64) {
    const auto a = At<std::int64_t>(got, i);
    const auto b = At<std::int64_t>(golden, i);
    const auto low = static_cast<std::uint64_t>(std::min(a, b));
    return static_cast<double>(static_cast<std::uint64_t>(std::max(a, b)) - low);
  }
  const double a = Value(type, got, i);
  const double b = Value(type, golden, i);
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0.0;
  const double difference = std::fabs(a - b);
  return std::isfinite(difference) ? difference : INFINITY;
}

}  // namespace

Comparison Compare(const TensorInfo& tensor, const Bytes& got, const Bytes& golden,
                   const Tolerance& tolerance) {
  const auto type = tensor.type.element_type;
  const std::size_t count = tensor.ElementCount();
  Comparison result;
  if (type == kLiteRtElementTypeFloat32 || type == kLiteRtElementTypeFloat16) {
    double scale = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      const double magnitude = std::fabs(Value(type, golden, i));
      if (std::isfinite(magnitude)) scale = std::max(scale, magnitude);
    }
    result.allowed = tolerance.relative * scale;
  } else {
    result.allowed = static_cast<double>(tolerance.integer);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = Difference(type, got, golden, i);
    result.largest = std::max(result.largest, difference);
    if (difference <= result.allowed) continue;
    result.ok = false;
    if (result.differing++ == 0) result.first = static_cast<std::int64_t>(i);
  }
  return result;
}

}  // namespace tfkit::runner
