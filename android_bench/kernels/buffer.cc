#include "kernels/buffer.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace tfkit {

Buffer::Buffer(std::size_t words, Content content) {
  if (words == 0) return;
  if (words > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(std::uint64_t) - kAlignment) {
    throw std::bad_alloc();
  }
  bytes_ = AlignedWords(words) * sizeof(std::uint64_t);
  // aligned_alloc came to Android with version 9.
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes_) != 0) throw std::bad_alloc();
  data_ = static_cast<std::uint64_t*>(memory);
  if (content == Content::kZeros) std::memset(data_, 0, bytes_);
}

Buffer::~Buffer() { std::free(data_); }

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace tfkit
