#include "delegate/arena.h"

#include <algorithm>
#include <new>
#include <numeric>

namespace tfkit {
// Largest first, each at the lowest offset where it meets nobody.
std::size_t Place(std::vector<Placement>& pieces) {
  std::vector<std::size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].words > pieces[b].words; });
  std::vector<const Placement*> placed;  // by offset
  std::size_t total = 0;
  for (std::size_t index : order) {
    Placement& piece = pieces[index];
    if (piece.words > kMaxWords) throw std::bad_alloc();
    const std::size_t words = AlignedWords(piece.words);
    piece.offset = 0;
    for (const Placement* other : placed) {
      if (other->last < piece.first || piece.last < other->first) continue;
      if (piece.offset + words <= other->offset) break;
      piece.offset = std::max(piece.offset, other->offset + AlignedWords(other->words));
    }
    const auto after = std::find_if(placed.begin(), placed.end(), [&](const Placement* other) {
      return other->offset > piece.offset;
    });
    placed.insert(after, &piece);
    total = std::max(total, piece.offset + words);
  }
  return total;
}

void Arena::Reserve(const void* partition, std::size_t words) {
  const std::lock_guard<std::mutex> lock(mutex_);
  needs_[partition] = words;
  for (const auto& [other, need] : needs_) words = std::max(words, need);
  if (AlignedWords(words) * sizeof(std::uint64_t) == block_.bytes()) return;
  block_ = Buffer();  // first, so that the two never exist at once
  // Not filled: pages that nobody uses then cost nothing.
  block_ = Buffer(words, Buffer::Content::kAnything);
}

void Arena::Release(const void* partition) {
  const std::lock_guard<std::mutex> lock(mutex_);
  needs_.erase(partition);
}

std::size_t Arena::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return block_.bytes();
}

}  // namespace tfkit
