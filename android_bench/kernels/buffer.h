// Memory as the kernels read it: 64-bit words, aligned for any vector.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tfkit {

// Bytes; also the cache line, so that threads with a buffer each do not share one.
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kAlignmentWords = kAlignment / sizeof(std::uint64_t);

// `words` rounded up to whole alignments; the most that is asked for here is far below overflow.
constexpr std::size_t AlignedWords(std::size_t words) {
  return (words + kAlignmentWords - 1) / kAlignmentWords * kAlignmentWords;
}

class Buffer {
 public:
  Buffer() = default;
  enum class Content { kZeros, kAnything };
  // Throws std::bad_alloc.
  explicit Buffer(std::size_t words, Content = Content::kZeros);
  ~Buffer();
  Buffer(Buffer&&) noexcept;
  Buffer& operator=(Buffer&&) noexcept;

  std::uint64_t* data() { return data_; }
  const std::uint64_t* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::uint64_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tfkit
