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
#if defined(__x86_64__)
  const std::vector<std::string> vectors = {"avx512bw", "avx2", "portable", "reference"};
  EXPECT_EQ(NamesOf(quantize::Kernels()), vectors);
  EXPECT_EQ(NamesOf(dequantize::Kernels()), vectors);
  EXPECT_EQ(NamesOf(bmaxpool::Kernels()),
            (std::vector<std::string>{"avx2", "portable", "reference"}));
  EXPECT_EQ(NamesOf(bconv2d::Kernels()),
            (std::vector<std::string>{"avx512vpopcntdq", "avx2_lut", "avx2", "popcnt", "portable",
                                      "reference"}));
#elif defined(__aarch64__)
  const std::vector<std::string> vectors = {"neon", "portable", "reference"};
  EXPECT_EQ(NamesOf(quantize::Kernels()), vectors);
  EXPECT_EQ(NamesOf(dequantize::Kernels()), vectors);
  EXPECT_EQ(NamesOf(bmaxpool::Kernels()), vectors);
  EXPECT_EQ(
      NamesOf(bconv2d::Kernels()),
      (std::vector<std::string>{"neon_lut", "neon_inorder", "neon_xnor", "portable", "reference"}));
#else
  EXPECT_EQ(NamesOf(quantize::Kernels()), portable);
  EXPECT_EQ(NamesOf(dequantize::Kernels()), portable);
  EXPECT_EQ(NamesOf(bmaxpool::Kernels()), portable);
  EXPECT_EQ(NamesOf(bconv2d::Kernels()), portable);
#endif
  for (const std::string& name : NamesOf(bconv2d::Kernels())) EXPECT_TRUE(IsKernelName(name));
}

TEST(Selection, DependsOnTheCpu) {
  Cpu plain;
#if defined(__aarch64__)
  EXPECT_STREQ(bconv2d::Select(Convolution(), plain, "").kernel->name, "neon_xnor");
#else
  EXPECT_STREQ(bconv2d::Select(Convolution(), plain, "").kernel->name, "portable");
#endif
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

// A list of made-up kernels, to see the rule alone.
struct Imagined {
  const char* name;
  Isa isa;
  Fit (*fit)(const int& shape, const Cpu&);
};

TEST(Selection, TakesTheFirstThatSuitsAndForcesWhatCan) {
  const Imagined absent = {"popcnt", Isa::kPopcnt,
                           [](const int&, const Cpu&) -> Fit { throw "its code was run"; }};
  const Imagined special = {
      "portable", Isa::kBaseline, [](const int& shape, const Cpu&) {
        return shape == 0 ? Fit::kCannot : shape == 1 ? Fit::kCan : Fit::kSuits;
      }};
  const Imagined last = {"reference", Isa::kBaseline,
                         [](const int&, const Cpu&) { return Fit::kSuits; }};
  const std::vector<const Imagined*> list = {&absent, &special, &last};
  EXPECT_EQ(SelectFrom(list, 0, Cpu{}, "").kernel, &last);
  EXPECT_EQ(SelectFrom(list, 1, Cpu{}, "").kernel, &last);
  EXPECT_EQ(SelectFrom(list, 2, Cpu{}, "").kernel, &special);
  EXPECT_EQ(SelectFrom(list, 0, Cpu{}, "portable").kernel, nullptr);
  EXPECT_EQ(SelectFrom(list, 1, Cpu{}, "portable").kernel, &special);
  EXPECT_EQ(SelectFrom(list, 2, Cpu{}, "popcnt").kernel, nullptr);
}

// One instruction set short of what a kernel's file is compiled for is too few.
TEST(Selection, AsksForEveryInstructionSetOfTheFlags) {
  Cpu all;
  bool Cpu::* const x86[] = {&Cpu::popcnt,   &Cpu::avx2,     &Cpu::avx512f,        &Cpu::avx512bw,
                             &Cpu::avx512dq, &Cpu::avx512vl, &Cpu::avx512vpopcntdq};
  for (bool Cpu::* field : x86) all.*field = true;
  EXPECT_TRUE(Has(all, Isa::kAvx512Vpopcntdq));
  for (bool Cpu::* field : x86) {
    Cpu lacking = all;
    lacking.*field = false;
    EXPECT_FALSE(Has(lacking, Isa::kAvx512Vpopcntdq));
  }
  EXPECT_FALSE(Has(Cpu{}, Isa::kAvx2));
  EXPECT_FALSE(Has(Cpu{}, Isa::kNeonDotprod));
}

TEST(Selection, UnknownNameIsAnError) {
  const auto selection = quantize::Select({1, 32}, Cpu{}, "fastest");
  EXPECT_EQ(selection.kernel, nullptr);
  EXPECT_EQ(selection.error, "no kernel is named 'fastest'; there are: " + KernelNames());
}

}  // namespace
}  // namespace tfkit
