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

// A window's part in the image, whatever its size.
template <typename Block>
inline void Pool(const Shape& shape, const std::uint32_t* image, Span y, Span x,
                 std::uint32_t* output) {
  const std::ptrdiff_t words = shape.words;
  for (std::ptrdiff_t w = 0; w < words; w += Block::kWords) {
    Block block;
    for (int iy = y.begin; iy < y.end; ++iy) {
      const std::ptrdiff_t first = std::ptrdiff_t{iy} * shape.x.input + x.begin;
      const std::uint32_t* pixel = image + first * words + w;
      for (int ix = x.begin; ix < x.end; ++ix, pixel += words) block.And(pixel);
    }
    block.Store(output + w);
  }
}

// `count` windows of kSize x kSize pixels, all in the image, the first at `window`.
template <typename Block, int kSize>
inline void PoolInner(const Shape& shape, const std::uint32_t* window, int count,
                      std::uint32_t* output) {
  const std::ptrdiff_t words = shape.words;
  const std::ptrdiff_t row_words = shape.x.input * words;
  for (int i = 0; i < count; ++i, window += shape.x.stride * words, output += words) {
    for (std::ptrdiff_t w = 0; w < words; w += Block::kWords) {
      Block block;
      for (int fy = 0; fy < kSize; ++fy) {
        for (int fx = 0; fx < kSize; ++fx) block.And(window + fy * row_words + fx * words + w);
      }
      block.Store(output + w);
    }
  }
}

// Needs words to be a multiple of Block::kWords. The usual windows, where they lie in the image,
// are unrolled: for few words the loops over a window cost more than its AND.
template <typename Block>
void RunBlocks(const Shape& shape, const std::uint32_t* input, std::uint32_t* output,
               std::int64_t begin, std::int64_t end) {
  const std::ptrdiff_t words = shape.words;
  const std::ptrdiff_t row_words = shape.x.input * words;
  const int size = shape.y.filter == shape.x.filter ? shape.y.filter : 0;
  output += begin * shape.x.output * words;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::uint32_t* image = input + row / shape.y.output * shape.y.input * row_words;
    const Span y = Inside(shape.y, static_cast<int>(row % shape.y.output));
    const bool unrolled = (size == 2 || size == 3) && y.end - y.begin == size;
    for (int ox = 0; ox < shape.x.output;) {
      const Span x = Inside(shape.x, ox);
      if (!unrolled || x.end - x.begin != size) {
        Pool<Block>(shape, image, y, x, output);
        ++ox;
        output += words;
        continue;
      }
      const int fitting = (shape.x.input - x.end) / shape.x.stride + 1;
      const int left = shape.x.output - ox;
      const int count = fitting < left ? fitting : left;
      const std::uint32_t* window = image + y.begin * row_words + x.begin * words;
      if (size == 2) {
        PoolInner<Block, 2>(shape, window, count, output);
      } else {
        PoolInner<Block, 3>(shape, window, count, output);
      }
      ox += count;
      output += count * words;
    }
  }
}

}  // namespace
}  // namespace tfkit::bmaxpool
