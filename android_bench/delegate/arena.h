// Memory in which the tensors inside partitions and the kernels' scratch lie, planned so that what
// is not needed at the same time shares its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/buffer.h"

namespace tfkit {

// A piece of memory that steps [first, last] need.
struct Placement {
  std::size_t words = 0;
  int first = 0;
  int last = 0;
  std::size_t offset = 0;  // words from the start; set by Place
};

// Far beyond any machine, and far below what could overflow in sums.
constexpr std::size_t kMaxWords = std::size_t{1} << 45;

// Sets the offsets, aligned to kAlignment, so that pieces with a step in common do not overlap.
// Returns the words that all take together. Throws std::bad_alloc if one has more than kMaxWords.
std::size_t Place(std::vector<Placement>&);

// One interpreter runs its partitions one after the other and nothing survives in them from one to
// the next, so they share a block that is as large as the largest of them needs.
class Arena {
 public:
  // Throws std::bad_alloc. Moves the block: data() is to be asked again.
  void Reserve(const void* partition, std::size_t words);
  // Frees nothing: the partitions of an interpreter go together, and the arena with the last.
  void Release(const void* partition);

  std::uint64_t* data() { return block_.data(); }
  // May be called from another thread.
  std::size_t bytes() const;

 private:
  mutable std::mutex mutex_;
  std::map<const void*, std::size_t> needs_;
  Buffer block_;
};

}  // namespace tfkit
