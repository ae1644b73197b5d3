// Constants that a model stores sparse.
#pragma once

#include <cstddef>
#include <vector>

#include "abi/tflite.h"
#include "delegate/shape.h"

namespace tfkit {

// At least how many of a float32 constant's `count` values are zeros, without unpacking it.
std::size_t LeastZeros(const TfLiteTensor&, std::size_t count);

// All values, zeros included, of a float32 constant of this shape, however it is stored. Throws
// Unsupported, calling it `name`, unless every index, size and segment fits.
std::vector<float> DenseValues(const TfLiteTensor&, const char* name, const Shape&);

}  // namespace tfkit
