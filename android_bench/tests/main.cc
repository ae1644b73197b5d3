#include <gtest/gtest.h>

#include <cstdio>

#include "tests/coverage.h"
#include "tests/random.h"

namespace {

class CoverageCheck : public ::testing::Environment {
 public:
  void TearDown() override {
    // A filtered run covers what it covers.
    if (::testing::GTEST_FLAG(filter) == "*") tfkit::testing::ExpectAllKernelsCovered();
  }
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::printf("seed %llu (replay with TFKIT_TEST_SEED=%llu)\n",
              static_cast<unsigned long long>(tfkit::testing::Seed()),
              static_cast<unsigned long long>(tfkit::testing::Seed()));
  ::testing::AddGlobalTestEnvironment(new CoverageCheck);
  return RUN_ALL_TESTS();
}
