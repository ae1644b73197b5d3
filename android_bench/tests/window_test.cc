#include "kernels/window.h"

#include <gtest/gtest.h>

namespace tfkit {
namespace {

// From TensorFlow's documentation of "SAME" and "VALID".
TEST(Window, KnownPlacements) {
  struct Case {
    int input, filter, stride, dilation;
    Padding padding;
    int output, pad_before;
  };
  const Case cases[] = {
      {5, 3, 1, 1, Padding::kSame, 5, 1},  {5, 3, 1, 1, Padding::kValid, 3, 0},
      {6, 3, 2, 1, Padding::kSame, 3, 0},  // one pixel of padding goes after the image
      {5, 3, 2, 1, Padding::kSame, 3, 1},  {7, 3, 1, 2, Padding::kSame, 7, 2},
      {7, 3, 1, 3, Padding::kValid, 1, 0}, {1, 5, 1, 1, Padding::kSame, 1, 2},
      {4, 1, 3, 1, Padding::kSame, 2, 0},  // stride larger than the filter
  };
  for (const Case& c : cases) {
    const auto axis = PlaceWindows(c.input, c.filter, c.stride, c.dilation, c.padding);
    ASSERT_TRUE(axis);
    EXPECT_EQ(axis->output, c.output);
    EXPECT_EQ(axis->pad_before, c.pad_before);
  }
}

TEST(Window, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(PlaceWindows(2, 3, 1, 1, Padding::kValid));
  EXPECT_FALSE(PlaceWindows(4, 3, 1, 2, Padding::kValid));
  EXPECT_FALSE(PlaceWindows(0, 1, 1, 1, Padding::kSame));
  EXPECT_FALSE(PlaceWindows(4, 0, 1, 1, Padding::kSame));
  EXPECT_FALSE(PlaceWindows(4, 3, 0, 1, Padding::kSame));
  EXPECT_FALSE(PlaceWindows(4, 3, 1, -1, Padding::kSame));
  EXPECT_FALSE(PlaceWindows(4, 3, 1, 1 << 30, Padding::kSame));
  EXPECT_FALSE(PlaceWindows(std::int64_t{1} << 31, 1, 1, 1, Padding::kSame));
}

}  // namespace
}  // namespace tfkit
