#include "delegate/shape.h"

#include <limits>

namespace tfkit {

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += (axis ? ", " : "") + std::to_string(shape[axis]);
  }
  return text + "]";
}

std::size_t Elements(const Shape& shape, std::size_t axes) {
  constexpr std::size_t kMax = std::numeric_limits<std::ptrdiff_t>::max() / 8;
  std::size_t count = 1;
  for (std::size_t axis = 0; axis < axes; ++axis) {
    if (shape[axis] < 1) throw Unsupported("a tensor has the shape " + ToString(shape));
    const std::size_t size = shape[axis];
    if (count > kMax / size) throw Unsupported("a tensor is too large: " + ToString(shape));
    count *= size;
  }
  return count;
}

}  // namespace tfkit
