// A word at a time, its bits gathered in a register.
#include "kernels/bits.h"
#include "kernels/quantize/kernel.h"

namespace tfkit::quantize {
namespace {

template <typename T>
std::uint32_t Signs(const T* input, int count, T zero_point) {
  std::uint32_t word = 0;
  for (int bit = 0; bit < count; ++bit) {
    word |= std::uint32_t{input[bit] < zero_point} << bit;
  }
  return word;
}

template <typename T>
void Run(const Shape& shape, const T* input, T zero_point, std::uint32_t* output) {
  const std::size_t full_words = shape.channels / kWordBits;
  const int rest = static_cast<int>(shape.channels % kWordBits);
  for (std::size_t row = 0; row < shape.rows; ++row) {
    for (std::size_t word = 0; word < full_words; ++word) {
      *output++ = Signs(input, kWordBits, zero_point);
      input += kWordBits;
    }
    if (rest != 0) {
      *output++ = Signs(input, rest, zero_point);
      input += rest;
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

const Kernel kernels::portable = {"portable", Isa::kBaseline, Suits, FromFloat, FromInt8};

}  // namespace tfkit::quantize
