// Levels of 32 values at a time in a small array, which compilers vectorize, then their bits.
#include "kernels/kbit_quantize/kernel.h"

namespace tfkit::kbit_quantize {
namespace {

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

void Run(const Shape& shape, const Levels& levels, const float* input, std::uint32_t* output,
         std::size_t begin, std::size_t end) {
  const int words = static_cast<int>(PackedWords(shape.channels));
  for (std::size_t row = begin; row < end; ++row) {
    for (int w = 0; w < words; ++w) {
      const float* in = input + row * shape.channels + w * kWordBits;
      const int left = shape.channels - w * kWordBits;
      const int count = left < kWordBits ? left : kWordBits;
      std::int32_t level[kWordBits] = {};
      for (int t = 0; t < levels.thresholds; ++t) {
        const float threshold = levels.threshold[t];
        for (int c = 0; c < count; ++c) level[c] += in[c] >= threshold;
      }
      std::uint32_t planes[kMaxPlanes] = {};
      for (int c = 0; c < count; ++c) {
        const std::uint32_t bits = levels.bits[level[c]];
        for (int plane = 0; plane < kMaxPlanes; ++plane) {
          planes[plane] |= (bits >> plane & 1u) << c;
        }
      }
      std::uint32_t* out = output + row * shape.RowWords() + w;
      for (int plane = 0; plane < shape.planes; ++plane) out[plane * words] = planes[plane];
    }
  }
}

}  // namespace

const Kernel kernels::portable = {"portable", Isa::kBaseline, Suits, Run};

}  // namespace tfkit::kbit_quantize
