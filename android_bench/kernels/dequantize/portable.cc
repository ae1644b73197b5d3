// A word at a time, without a branch per bit.
#include "kernels/bits.h"
#include "kernels/dequantize/kernel.h"

namespace tfkit::dequantize {
namespace {

template <typename T>
T* Unpack(std::uint32_t word, int count, const T (&values)[2], T* output) {
  for (int bit = 0; bit < count; ++bit) {
    output[bit] = values[word >> bit & 1];
  }
  return output + count;
}

template <typename T>
void Run(const Shape& shape, const std::uint32_t* input, Values<T> values, T* output) {
  const T by_bit[2] = {values.clear, values.set};
  const std::size_t full_words = shape.channels / kWordBits;
  const int rest = static_cast<int>(shape.channels % kWordBits);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t word = 0; word < full_words; ++word) {
      output = Unpack(*input++, kWordBits, by_bit, output);
    }
    if (rest != 0) output = Unpack(*input++, rest, by_bit, output);
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

const Kernel kernels::portable = {"portable", Isa::kBaseline, Suits, ToFloat, ToInt8};

}  // namespace tfkit::dequantize
