#include <gtest/gtest.h>

#include <set>

#include "kernels/bconv2d/select.h"
#include "kernels/bmaxpool/select.h"
#include "kernels/dequantize/select.h"
#include "kernels/names.h"
#include "kernels/quantize/select.h"

namespace tfkit {
namespace {

bconv2d::Geometry Convolution() {
  bconv2d::Geometry geometry;
  geometry.filter = {64, 64, 1, 3, 3};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(8, 3, 1, 1, Padding::kSame);
  return geometry;
}

template <typename Kernel>
std::vector<std::string> NamesOf(const std::vector<const Kernel*>& kernels) {
  std::vector<std::string> names;
  for (const Kernel* kernel : kernels) names.push_back(kernel->name);
  return names;
}

// A kernel that falls out of the build, or whose name differs from its list entry, shows here.
TEST(Selection, ListsAreComplete) {
  const std::vector<std::string> portable = {"portable", "reference"};
  EXPECT_EQ(NamesOf(quantize::Kernels()), portable);
  EXPECT_EQ(NamesOf(dequantize::Kernels()), portable);
  EXPECT_EQ(NamesOf(bmaxpool::Kernels()), portable);
#if defined(__x86_64__)
  EXPECT_EQ(NamesOf(bconv2d::Kernels()),
            (std::vector<std::string>{"popcnt", "portable", "reference"}));
#else
  EXPECT_EQ(NamesOf(bconv2d::Kernels()), portable);
#endif
  for (const std::string& name : NamesOf(bconv2d::Kernels())) EXPECT_TRUE(IsKernelName(name));
}

TEST(Selection, DependsOnTheCpu) {
  Cpu plain;
  EXPECT_STREQ(bconv2d::Select(Convolution(), plain, "").kernel->name, "portable");
#if defined(__x86_64__)
  Cpu with_popcnt;
  with_popcnt.popcnt = true;
  EXPECT_STREQ(bconv2d::Select(Convolution(), with_popcnt, "").kernel->name, "popcnt");
#endif
}

TEST(Selection, ForcedKernelIsTakenOrRefused) {
  EXPECT_STREQ(bconv2d::Select(Convolution(), Cpu{}, "reference").kernel->name, "reference");
#if defined(__x86_64__)
  const auto refused = bconv2d::Select(Convolution(), Cpu{}, "popcnt");
  EXPECT_EQ(refused.kernel, nullptr);
  EXPECT_EQ(refused.error, "kernel 'popcnt' cannot run this shape on this CPU");
  // Quantize has no kernel of that name and keeps its default.
  EXPECT_STREQ(quantize::Select({1, 32}, Cpu{}, "popcnt").kernel->name, "portable");
#endif
}

TEST(Selection, UnknownNameIsAnError) {
  const auto selection = quantize::Select({1, 32}, Cpu{}, "fastest");
  EXPECT_EQ(selection.kernel, nullptr);
  EXPECT_EQ(selection.error, "no kernel is named 'fastest'; there are: " + KernelNames());
}

}  // namespace
}  // namespace tfkit
