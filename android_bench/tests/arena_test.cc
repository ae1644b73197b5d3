#include "delegate/arena.h"

#include <gtest/gtest.h>

#include <new>

#include "tests/random.h"

namespace tfkit {
namespace {

TEST(Arena, ReusesThePlaceOfWhatIsNoLongerNeeded) {
  // A chain of three tensors: the third takes the first one's place.
  std::vector<Placement> pieces = {{100, 0, 1}, {50, 1, 2}, {100, 2, 3}};
  EXPECT_EQ(Place(pieces), 104u + 56u);
  EXPECT_EQ(pieces[0].offset, 0u);
  EXPECT_EQ(pieces[1].offset, 104u);
  EXPECT_EQ(pieces[2].offset, 0u);
}

TEST(Arena, PutsSmallPiecesIntoGaps) {
  std::vector<Placement> pieces = {{64, 0, 0}, {40, 0, 3}, {32, 2, 3}, {16, 1, 2}};
  EXPECT_EQ(Place(pieces), 64u + 40u);
}

TEST(Arena, NothingTakesNothing) {
  std::vector<Placement> none;
  EXPECT_EQ(Place(none), 0u);
  std::vector<Placement> empty = {{0, 0, 1}, {0, 1, 2}};
  EXPECT_EQ(Place(empty), 0u);
}

TEST(Arena, RefusesWhatNoMachineHas) {
  std::vector<Placement> pieces(40, {~std::size_t{0} / 16, 0, 1});
  EXPECT_THROW(Place(pieces), std::bad_alloc);
}

TEST(Arena, PiecesNeededTogetherNeverOverlap) {
  for (int stream = 0; stream < 300; ++stream) {
    SCOPED_TRACE(::testing::Message() << "stream " << stream << ", seed " << testing::Seed());
    testing::Random random(stream);
    std::vector<Placement> pieces;
    for (int i = random.Integer(1, 20); i > 0; --i) {
      const int first = random.Integer(0, 9);
      pieces.push_back({std::size_t(random.Integer(0, 300)), first, random.Integer(first, 10)});
    }
    const std::size_t total = Place(pieces);
    std::size_t alive_at_most = 0;
    for (int step = 0; step <= 10; ++step) {
      std::size_t alive = 0;
      for (const Placement& a : pieces) {
        if (a.first > step || a.last < step) continue;
        alive += a.words;
        ASSERT_EQ(a.offset % kAlignmentWords, 0u);
        ASSERT_LE(a.offset + a.words, total);
        for (const Placement& b : pieces) {
          if (&a == &b || b.first > step || b.last < step) continue;
          ASSERT_TRUE(a.offset + a.words <= b.offset || b.offset + b.words <= a.offset);
        }
      }
      alive_at_most = std::max(alive_at_most, alive);
    }
    EXPECT_GE(total, alive_at_most);
  }
}

TEST(Arena, IsAsLargeAsItsLargestPartition) {
  Arena arena;
  int a = 0, b = 0;
  arena.Reserve(&a, 10);
  EXPECT_EQ(arena.bytes(), 128u);
  arena.Reserve(&b, 100);
  EXPECT_EQ(arena.bytes(), 832u);
  arena.Reserve(&b, 5);
  EXPECT_EQ(arena.bytes(), 128u);
  arena.Release(&a);
  arena.Reserve(&b, 0);
  EXPECT_EQ(arena.bytes(), 0u);
}

}  // namespace
}  // namespace tfkit
