// Exact comparison of tensors: reports how many elements differ, where the first one is, and what
// stands around it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/buffer.h"

namespace tfkit::testing {

// "[0, 3, 1, 5]": the coordinates of element `index`.
inline std::string Coordinates(std::size_t index, const std::vector<int>& shape) {
  std::string text;
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    text = std::to_string(index % shape[axis]) + (text.empty() ? "" : ", ") + text;
    index /= shape[axis];
  }
  return "[" + text + "]";
}

// Equal bit for bit: -0.0 and 0.0 differ, a NaN equals itself.
template <typename T>
::testing::AssertionResult SameBits(const std::vector<T>& expected, const std::vector<T>& actual,
                                    const std::vector<int>& shape) {
  if (expected.size() != actual.size()) {
    return ::testing::AssertionFailure()
           << expected.size() << " elements expected, got " << actual.size();
  }
  std::size_t wrong = 0;
  std::size_t first = 0;
  for (std::size_t i = expected.size(); i-- > 0;) {
    if (std::memcmp(&expected[i], &actual[i], sizeof(T)) == 0) continue;
    ++wrong;
    first = i;
  }
  if (wrong == 0) return ::testing::AssertionSuccess();
  auto failure = ::testing::AssertionFailure();
  failure << wrong << " of " << expected.size() << " elements differ, the first at "
          << Coordinates(first, shape) << "\nexpected | got, from there:";
  for (std::size_t i = first; i < std::min(first + 8, expected.size()); ++i) {
    failure << "\n  " << Coordinates(i, shape) << "  " << +expected[i] << " | " << +actual[i];
  }
  return failure;
}

// A buffer with guards on both sides, which a kernel must not touch.
template <typename T>
class Guarded {
 public:
  explicit Guarded(std::size_t size) : storage_((size + 2 * kGuard) * sizeof(T), kPattern) {}
  T* data() { return reinterpret_cast<T*>(storage_.data()) + kGuard; }
  std::vector<T> Take() {
    const std::size_t guard = kGuard * sizeof(T);
    for (std::size_t i = 0; i < guard; ++i) {
      EXPECT_EQ(storage_[i], kPattern) << "written before the output";
      EXPECT_EQ(storage_[storage_.size() - 1 - i], kPattern) << "written after the output";
    }
    return std::vector<T>(data(), data() + storage_.size() / sizeof(T) - 2 * kGuard);
  }

 private:
  static constexpr std::size_t kGuard = 16;
  static constexpr unsigned char kPattern = 0xa5;
  std::vector<unsigned char> storage_;
};

// Scratch memory as kernels are promised it: aligned, full of anything, and no larger than asked.
class Scratch {
 public:
  explicit Scratch(std::size_t words)
      : words_(words), storage_(AlignedWords(words) + kAlignmentWords) {
    std::fill(data(), data() + storage_.bytes() / sizeof(std::uint64_t), kPattern);
  }
  std::uint64_t* data() { return storage_.data(); }
  void Check() {
    for (std::size_t i = words_; i < storage_.bytes() / sizeof(std::uint64_t); ++i) {
      EXPECT_EQ(data()[i], kPattern) << "written after the workspace";
    }
  }

 private:
  static constexpr std::uint64_t kPattern = 0x5a5a5a5a5a5a5a5aull;
  const std::size_t words_;
  Buffer storage_;
};

}  // namespace tfkit::testing
