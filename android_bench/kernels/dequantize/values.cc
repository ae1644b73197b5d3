#include <algorithm>
#include <cmath>

#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {

Values<std::int8_t> Int8Values(float scale, int zero_point) {
  // 255 already saturates from every zero point; the bound keeps the conversion to int defined.
  const int one = static_cast<int>(std::min(std::round(1.0f / scale), 255.0f));
  return {static_cast<std::int8_t>(std::min(127, zero_point + one)),
          static_cast<std::int8_t>(std::max(-128, zero_point - one))};
}

}  // namespace tfkit::dequantize
