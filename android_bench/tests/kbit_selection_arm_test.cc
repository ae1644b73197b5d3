// Which few-bit kernel each kind of Arm core gets, by shape and widths.
#if defined(__aarch64__)
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "kernels/kbit_conv2d/select.h"

namespace tfkit {
namespace {

using kbit_conv2d::Geometry;

constexpr std::uint32_t kA53 = 0x41d03;
constexpr std::uint32_t kA55 = 0x41d05;
constexpr std::uint32_t kA72 = 0x41d08;
constexpr std::uint32_t kA76 = 0x41d0b;
constexpr std::uint32_t kN1 = 0x41d0c;
constexpr std::uint32_t kX1 = 0x41d44;

Cpu With(std::initializer_list<std::uint32_t> cores, bool dotprod) {
  Cpu cpu;
  cpu.dotprod = dotprod;
  for (const std::uint32_t core : cores) cpu.AddCoreType(core);
  return cpu;
}

Geometry Convolution(int weight_bits, int activation_bits, int channels_in = 128,
                     int channels_out = 128, int filter = 3, int stride = 1, bool bases = false) {
  Geometry geometry;
  geometry.filter = {channels_in,
                     channels_out,
                     filter,
                     filter,
                     {weight_bits, 2, 1 - (1 << weight_bits)},
                     {activation_bits, 1, 0},
                     bases};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(14, filter, stride, 1, Padding::kSame);
  return geometry;
}

std::string Selected(const Geometry& geometry, const Cpu& cpu) {
  return kbit_conv2d::Select(geometry, cpu, "").kernel->name;
}

struct Choice {
  int weight_bits;
  int activation_bits;
  const char* lookup;  // cores that look up
  const char* a72;
  const char* a55;  // in order, with dot products
  const char* a53;
};

constexpr Choice kChoices[] = {
    {1, 1, "neon_lut", "neon", "neon_inorder", "neon_inorder"},
    {1, 2, "neon_lut", "neon", "neon_inorder", "neon_inorder"},
    {1, 4, "neon_lut", "neon_lut", "neon_inorder", "neon_inorder"},
    {2, 1, "neon_lut", "neon", "neon_inorder", "neon_inorder"},
    {2, 2, "neon_lut", "neon", "neon_inorder", "neon_inorder"},
    {2, 4, "neondotprod", "neon_lut", "neondotprod", "neon_inorder"},
    {3, 3, "neondotprod", "neon", "neondotprod", "neon_mlal"},
    {4, 4, "neondotprod", "neon_mlal", "neondotprod", "neon_mlal"},
    {8, 1, "neondotprod", "neon", "neondotprod", "neon_inorder"},
};

TEST(KBitSelectionArm, WidthsAndCoresDecide) {
  for (const Choice& choice : kChoices) {
    SCOPED_TRACE("W" + std::to_string(choice.weight_bits) + "A" +
                 std::to_string(choice.activation_bits));
    const Geometry geometry = Convolution(choice.weight_bits, choice.activation_bits);
    for (const std::uint32_t core : {kA76, kN1}) {
      EXPECT_EQ(Selected(geometry, With({core}, true)), choice.lookup);
    }
    EXPECT_EQ(Selected(geometry, With({kA72}, false)), choice.a72);
    EXPECT_EQ(Selected(geometry, With({kA55}, true)), choice.a55);
    EXPECT_EQ(Selected(geometry, With({kA53}, false)), choice.a53);
  }
}

TEST(KBitSelectionArm, MixedAndUnknownCoresTakeWhatNoneRunsBadly) {
  for (const Cpu& cpu : {With({kA76, kA55}, true), With({kX1}, true), With({}, true)}) {
    EXPECT_EQ(Selected(Convolution(1, 2), cpu), "neon");
    EXPECT_EQ(Selected(Convolution(2, 2), cpu), "neondotprod");
    EXPECT_EQ(Selected(Convolution(3, 3), cpu), "neondotprod");
  }
  EXPECT_EQ(Selected(Convolution(1, 2), With({kA53, kA72}, false)), "neon");
}

TEST(KBitSelectionArm, DotProductsOnlyWhereTheyExist) {
  for (const std::uint32_t core : {kA53, kA55, kA72, kA76}) {
    const Cpu cpu = With({core}, false);
    for (int w = 1; w <= 4; ++w) {
      for (int a = 1; a <= 4; ++a) EXPECT_NE(Selected(Convolution(w, a), cpu), "neondotprod");
    }
    EXPECT_EQ(kbit_conv2d::Select(Convolution(3, 3), cpu, "neondotprod").error,
              "kernel 'neondotprod' cannot run this shape on this CPU");
  }
}

// Tables must be looked up often enough to be worth building.
TEST(KBitSelectionArm, TablesOnlyWhereTheyPay) {
  const Cpu cpu = With({kA76}, true);
  EXPECT_EQ(Selected(Convolution(1, 2, 64, 64, 3), cpu), "neon_lut");
  EXPECT_EQ(Selected(Convolution(1, 2, 64, 8, 1), cpu), "neon");
  EXPECT_EQ(Selected(Convolution(1, 2, 256, 256, 1), cpu), "neon_lut");
  EXPECT_EQ(Selected(Convolution(2, 2, 64, 32, 3, 2), cpu), "neondotprod");
}

// Bytes have no planes, so sums with several terms are left to the others.
TEST(KBitSelectionArm, BasesAreCountedOrLookedUp) {
  EXPECT_EQ(Selected(Convolution(3, 3, 128, 128, 3, 1, true), With({kA76}, true)), "neon_lut");
  EXPECT_EQ(Selected(Convolution(3, 3, 128, 128, 3, 1, true), With({kA72}, false)), "neon");
  EXPECT_EQ(Selected(Convolution(3, 3, 128, 128, 3, 1, true), With({kA53}, false)), "neon_inorder");
}

// Bits and pairs are counted in 16 bits.
TEST(KBitSelectionArm, LargeFiltersAreMultiplied) {
  const Geometry large = Convolution(1, 1, 7296, 32, 3);  // 65,664 bits
  EXPECT_EQ(Selected(large, With({kA76}, true)), "neondotprod");
  EXPECT_EQ(Selected(large, With({kA53}, false)), "neon_mlal");
  for (const char* name : {"neon_lut", "neon_inorder", "neon"}) {
    EXPECT_EQ(kbit_conv2d::Select(large, With({kA76}, true), name).kernel, nullptr) << name;
  }
  Geometry bases = large;
  bases.filter.bases = true;
  bases.filter.weights.planes = 2;
  EXPECT_EQ(Selected(bases, With({kA76}, true)), "portable");
}

TEST(KBitSelectionArm, ForcingByName) {
  for (const Cpu& cpu : {With({}, true), With({kA53}, true), With({kA76}, true)}) {
    for (const char* name :
         {"neondotprod", "neon_lut", "neon_mlal", "neon_inorder", "neon", "portable"}) {
      EXPECT_STREQ(kbit_conv2d::Select(Convolution(2, 2), cpu, name).kernel->name, name);
    }
  }
}

}  // namespace
}  // namespace tfkit
#endif
