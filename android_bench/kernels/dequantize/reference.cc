#include "kernels/bits.h"
#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {
namespace {

template <typename T>
void Run(const Shape& shape, const std::uint32_t* input, Values<T> values, T* output) {
  const std::size_t words = PackedWords(shape.channels);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t c = 0; c < shape.channels; ++c) {
      const std::uint32_t bit = input[row * words + c / kWordBits] >> (c % kWordBits) & 1;
      output[row * shape.channels + c] = bit ? values.set : values.clear;
    }
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void ToFloat(const Shape& shape, const std::uint32_t* input, float* output) {
  Run(shape, input, Values<float>{1.0f, -1.0f}, output);
}

void ToInt8(const Shape& shape, const std::uint32_t* input, Values<std::int8_t> values,
            std::int8_t* output) {
  Run(shape, input, values, output);
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, ToFloat, ToInt8};

}  // namespace tfkit::dequantize
