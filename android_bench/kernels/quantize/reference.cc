#include <algorithm>

#include "kernels/bits.h"
#include "kernels/quantize/kernel.h"

namespace tfkit::quantize {
namespace {

template <typename T>
void Run(const Shape& shape, const T* input, T zero_point, std::uint32_t* output) {
  const std::size_t words = PackedWords(shape.channels);
  std::fill(output, output + shape.rows * words, 0);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t c = 0; c < shape.channels; ++c) {
      const bool negative = input[row * shape.channels + c] < zero_point;
      output[row * words + c / kWordBits] |= std::uint32_t{negative} << (c % kWordBits);
    }
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void FromFloat(const Shape& shape, const float* input, std::uint32_t* output) {
  Run(shape, input, 0.0f, output);
}

void FromInt8(const Shape& shape, const std::int8_t* input, int zero_point, std::uint32_t* output) {
  Run(shape, input, static_cast<std::int8_t>(zero_point), output);
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, FromFloat, FromInt8};

}  // namespace tfkit::quantize
