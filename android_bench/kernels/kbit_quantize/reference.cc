// The definition, value by value.
#include "kernels/kbit_quantize/kernel.h"

namespace tfkit::kbit_quantize {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void Run(const Shape& shape, const Levels& levels, const float* input, std::uint32_t* output,
         std::size_t begin, std::size_t end) {
  const std::size_t words = PackedWords(shape.channels);
  for (std::size_t row = begin; row < end; ++row) {
    std::uint32_t* out = output + row * shape.RowWords();
    for (std::size_t w = 0; w < shape.RowWords(); ++w) out[w] = 0;
    for (int c = 0; c < shape.channels; ++c) {
      int level = 0;
      for (int t = 0; t < levels.thresholds; ++t) {
        level += input[row * shape.channels + c] >= levels.threshold[t];
      }
      for (int plane = 0; plane < shape.planes; ++plane) {
        const std::uint32_t bit = levels.bits[level] >> plane & 1u;
        out[plane * words + c / kWordBits] |= bit << (c % kWordBits);
      }
    }
  }
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::kbit_quantize
