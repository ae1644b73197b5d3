#include "delegate/schedule.h"

#include <gtest/gtest.h>

#include <new>

namespace tfkit {
namespace {

constexpr std::size_t kRowBytes = 1 << 13;  // half a block
constexpr int kRows = 10;
constexpr int kRowPixels = 16;

enum Tensors { kBits, kImage, kConvolved, kSum, kSigns, kConvolvedAgain, kSumAgain };

Work Convolution() {
  Work work;
  work.units = {kRows};
  work.microseconds = 40;
  work.own_words = 100;
  work.shared_words = 20;
  work.writes_parts = true;
  return work;
}

Work Sum() {
  Work work;
  work.units = {kRows * kRowPixels};
  work.writes_parts = work.reads_parts = work.in_place = true;
  return work;
}

Work Quantize() {
  Work work;
  work.units = {kRows * kRowPixels};
  work.reads_parts = true;
  return work;
}

// Two binary convolutions, each with its image added, and the signs in between.
std::vector<StepFacts> TwoBlocks() {
  return {
      {{kBits}, kConvolved, kRows * kRowBytes, true, Convolution()},
      {{kImage, kConvolved}, kSum, kRows * kRowBytes, true, Sum()},
      {{kSum}, kSigns, kRows * kRowBytes / 32, true, Quantize()},
      {{kSigns}, kConvolvedAgain, kRows * kRowBytes, true, Convolution()},
      {{kSum, kConvolvedAgain}, kSumAgain, kRows * kRowBytes, true, Sum()},
  };
}

TEST(Schedule, GlueRunsBehindTheConvolution) {
  const Schedule schedule = MakeSchedule(TwoBlocks(), 4);
  ASSERT_EQ(schedule.groups.size(), 2u);
  EXPECT_EQ(schedule.groups[0].first, 0);
  EXPECT_EQ(schedule.groups[0].last, 2);
  EXPECT_EQ(schedule.groups[1].first, 3);
  EXPECT_EQ(schedule.groups[1].last, 4);
  EXPECT_EQ(schedule.groups[0].block, 2);
}

TEST(Schedule, ThreadsKeepOnlyBlocksOfWhatNobodyElseReads) {
  const Schedule schedule = MakeSchedule(TwoBlocks(), 4);
  EXPECT_TRUE(schedule.places.at(kConvolved).of_thread);
  EXPECT_TRUE(schedule.places.at(kConvolvedAgain).of_thread);
  EXPECT_FALSE(schedule.places.at(kSum).of_thread);
  EXPECT_FALSE(schedule.places.at(kSigns).of_thread);
  // Behind the convolution's own scratch, rounded up to whole alignments.
  EXPECT_EQ(schedule.places.at(kConvolved).word, 104u);
  EXPECT_EQ(schedule.groups[0].own_words, 104u + 2 * kRowBytes / 8);
}

// One image is in memory, whatever the number of blocks.
TEST(Schedule, ASumTakesThePlaceOfItsImage) {
  const Schedule schedule = MakeSchedule(TwoBlocks(), 1);
  EXPECT_EQ(schedule.places.at(kSum).word, schedule.places.at(kSumAgain).word);
  EXPECT_EQ(schedule.tensor_words, (kRows * kRowBytes + kRows * kRowBytes / 32) / 8);
}

TEST(Schedule, ASumTakesNoPlaceThatIsStillRead) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps.push_back({{kSum}, kSumAgain + 1, kRows * kRowBytes / 32, false, Quantize()});
  const Schedule schedule = MakeSchedule(steps, 1);
  EXPECT_NE(schedule.places.at(kSum).word, schedule.places.at(kSumAgain).word);
}

// A pooling step, say, that reads other rows of the image than those whose sums are written.
TEST(Schedule, ASumTakesNoPlaceThatItsGroupReadsOtherwise) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[3].inputs = {kSum};
  const Schedule schedule = MakeSchedule(steps, 1);
  ASSERT_EQ(schedule.groups.size(), 2u);
  EXPECT_NE(schedule.places.at(kSum).word, schedule.places.at(kSumAgain).word);
}

TEST(Schedule, OutputsOfThePartitionHaveNoPlace) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[4].inner = false;
  steps[0].inner = false;
  const Schedule schedule = MakeSchedule(steps, 1);
  EXPECT_EQ(schedule.places.count(kSumAgain), 0u);
  EXPECT_EQ(schedule.places.count(kConvolved), 0u);
  EXPECT_EQ(schedule.groups[0].last, 2);
}

// The runtime holds the last sum's memory anyway.
TEST(Schedule, SumsLieWhereTheLastOneGoes) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[4].inner = false;
  const Schedule schedule = MakeSchedule(steps, 1);
  EXPECT_EQ(schedule.places.at(kSum).output, kSumAgain);
  EXPECT_EQ(schedule.places.at(kSigns).output, Location::kNowhere);  // read while that is written
  EXPECT_EQ(schedule.tensor_words, kRows * kRowBytes / 32 / 8);
}

// Here a sum is no chain's end, but the output of a later convolution has yet to be written.
TEST(Schedule, TensorsLieInOutputsUntilThoseAreWritten) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[3].inputs = {kSigns, kSum};
  steps[3].output_bytes /= 2;
  steps[4] = {{kSigns}, kSumAgain, kRows * kRowBytes, false, Convolution()};
  steps.push_back({{kSigns}, kSumAgain + 1, kRows * kRowBytes - 1, false, Convolution()});
  const Schedule schedule = MakeSchedule(steps, 1);
  ASSERT_EQ(schedule.groups.size(), 4u);
  EXPECT_EQ(schedule.places.at(kSum).output, kSumAgain);  // the other is a byte too small
  EXPECT_EQ(schedule.places.at(kConvolvedAgain).output, kSumAgain + 1);
  EXPECT_EQ(schedule.places.at(kSigns).output, Location::kNowhere);
}

TEST(Schedule, NothingNeededTogetherLiesInOneOutput) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[2].inputs = {kImage};  // the sum is read by the second convolution's sum alone
  const int small = kSumAgain + 1, large = kSumAgain + 2;
  steps.push_back({{kSumAgain}, small, kRows * kRowBytes / 32, true, Convolution()});
  steps.push_back({{small}, large, 2 * kRows * kRowBytes, false, Convolution()});
  const Schedule schedule = MakeSchedule(steps, 1);
  EXPECT_EQ(schedule.places.at(kSum).output, large);
  EXPECT_EQ(schedule.places.at(kSumAgain).output, large);  // in the sum's place
  EXPECT_EQ(schedule.places.at(kSigns).output, Location::kNowhere);
  EXPECT_EQ(schedule.places.at(small).output, Location::kNowhere);
}

TEST(Schedule, StepsRunAloneWhereUnitsAreNoParts) {
  for (int spoilt = 0; spoilt < 4; ++spoilt) {
    std::vector<StepFacts> steps = TwoBlocks();
    steps.resize(2);
    if (spoilt == 0) steps[0].work.writes_parts = false;
    if (spoilt == 1) steps[1].work.reads_parts = false;
    if (spoilt == 2) steps[1].work.units = {kRows * kRowPixels + 1};
    if (spoilt == 3) steps[1].inputs = {kImage, kImage};
    const Schedule schedule = MakeSchedule(steps, 1);
    EXPECT_EQ(schedule.groups.size(), 2u) << spoilt;
    EXPECT_FALSE(schedule.places.at(kConvolved).of_thread) << spoilt;
    EXPECT_EQ(schedule.groups[0].block, kRows) << spoilt;
  }
}

TEST(Schedule, ThreadsAreWorthTheirWork) {
  std::vector<StepFacts> steps = TwoBlocks();
  EXPECT_EQ(MakeSchedule(steps, 3).groups[0].threads, 3);
  EXPECT_EQ(MakeSchedule(steps, 100).groups[0].threads, 8);  // 40 microseconds
  steps[0].work.microseconds = 1;
  EXPECT_EQ(MakeSchedule(steps, 3).groups[0].threads, 1);
  steps[1].work.microseconds = 10;
  EXPECT_EQ(MakeSchedule(steps, 3).groups[0].threads, 2);
}

TEST(Schedule, RefusesWhatNoMachineHas) {
  std::vector<StepFacts> steps = TwoBlocks();
  steps[0].work.units = {1};
  steps[1].work.units = {1};
  steps[0].output_bytes = steps[1].output_bytes = std::size_t{1} << 62;
  EXPECT_THROW(MakeSchedule(steps, 256), std::bad_alloc);
}

}  // namespace
}  // namespace tfkit
