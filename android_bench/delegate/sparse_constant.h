// Constants that a model stores sparse.
#pragma once

#include <vector>

#include "abi/tflite.h"
#include "delegate/shape.h"

namespace tfkit {

// All values, zeros included, of a float32 constant of this shape, however it is stored. Throws
// Unsupported, calling it `name`, unless every index, size and segment fits.
std::vector<float> DenseValues(const TfLiteTensor&, const char* name, const Shape&);

}  // namespace tfkit
