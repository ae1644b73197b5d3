// Tensor shapes as they stand in an untrusted file: every product is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace tfkit {

// A node that cannot be run; the message says why, in terms of the model.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Shape = std::vector<int>;

// "[1, 16, 16, 2]"
std::string ToString(const Shape&);

// Product of shape[0 .. axes); throws Unsupported if an axis is not positive or the product's bytes
// (at most 8 per element) would not fit the address space.
std::size_t Elements(const Shape&, std::size_t axes);
inline std::size_t Elements(const Shape& shape) { return Elements(shape, shape.size()); }

}  // namespace tfkit
