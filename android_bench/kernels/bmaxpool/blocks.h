// A window's AND, a block of a pixel's words at a time. A file of an instruction set includes it
// with the blocks that this has, hence the unnamed namespace.
//
// A Block has: static constexpr int kWords; Block(), all set; And(words), of kWords words or fewer
// that exist; Store(words).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bmaxpool/kernel.h"

namespace tfkit::bmaxpool {
namespace {

// A block of 32 or 64 bits.
template <typename T>
struct ScalarBlock {
  static constexpr int kWords = sizeof(T) / sizeof(std::uint32_t);
  T bits = static_cast<T>(~T{0});
  void And(const std::uint32_t* words) {
    T value;
    __builtin_memcpy(&value, words, sizeof value);
    bits &= value;
  }
  void Store(std::uint32_t* words) const { __builtin_memcpy(words, &bits, sizeof bits); }
};

// The part [begin, end) of a window's pixels that lies in the image.
struct Span {
  int begin;
  int end;
};

inline Span Inside(const WindowAxis& axis, int window) {
  const int begin = axis.Pixel(window, 0);
  const int end = axis.Pixel(window, axis.filter);
  return {begin < 0 ? 0 : begin, end > axis.input ? axis.input : end};
}

// Needs words to be a multiple of Block::kWords.
template <typename Block>
void RunBlocks(const Shape& shape, const std::uint32_t* input, std::uint32_t* output,
               std::int64_t begin, std::int64_t end) {
  const std::ptrdiff_t words = shape.words;
  const std::ptrdiff_t row_words = shape.x.input * words;
  output += begin * shape.x.output * words;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::uint32_t* image = input + row / shape.y.output * shape.y.input * row_words;
    const Span y = Inside(shape.y, static_cast<int>(row % shape.y.output));
    for (int ox = 0; ox < shape.x.output; ++ox, output += words) {
      const Span x = Inside(shape.x, ox);
      for (std::ptrdiff_t w = 0; w < words; w += Block::kWords) {
        Block block;
        for (int iy = y.begin; iy < y.end; ++iy) {
          const std::uint32_t* pixel = image + iy * row_words + x.begin * words + w;
          for (int ix = x.begin; ix < x.end; ++ix, pixel += words) block.And(pixel);
        }
        block.Store(output + w);
      }
    }
  }
}

}  // namespace
}  // namespace tfkit::bmaxpool
