// Which kernel each kind of Arm core gets, for which shape.
#if defined(__aarch64__)
#include <gtest/gtest.h>

#include <initializer_list>

#include "kernels/bconv2d/select.h"
#include "kernels/bmaxpool/select.h"
#include "kernels/dequantize/select.h"
#include "kernels/quantize/select.h"

namespace tfkit {
namespace {

constexpr std::uint32_t kA53 = 0x41d03;
constexpr std::uint32_t kA55 = 0x41d05;
constexpr std::uint32_t kA57 = 0x41d07;
constexpr std::uint32_t kA72 = 0x41d08;
constexpr std::uint32_t kA73 = 0x41d09;
constexpr std::uint32_t kA75 = 0x41d0a;
constexpr std::uint32_t kA76 = 0x41d0b;
constexpr std::uint32_t kA78 = 0x41d41;
constexpr std::uint32_t kA510 = 0x41d46;
constexpr std::uint32_t kA520 = 0x41d80;
constexpr std::uint32_t kA710 = 0x41d47;
constexpr std::uint32_t kX1 = 0x41d44;
constexpr std::uint32_t kX2 = 0x41d48;
constexpr std::uint32_t kN1 = 0x41d0c;
constexpr std::uint32_t kN2 = 0x41d49;
constexpr std::uint32_t kV1 = 0x41d40;
constexpr std::uint32_t kV2 = 0x41d4f;

Cpu With(std::initializer_list<std::uint32_t> cores) {
  Cpu cpu;
  for (const std::uint32_t core : cores) cpu.AddCoreType(core);
  return cpu;
}

bconv2d::Geometry Convolution(int channels_in, int channels_out, int filter, int stride = 1) {
  bconv2d::Geometry geometry;
  geometry.filter = {channels_in, channels_out, 1, filter, filter};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(14, filter, stride, 1, Padding::kSame);
  return geometry;
}

std::string Selected(const bconv2d::Geometry& geometry, const Cpu& cpu) {
  return bconv2d::Select(geometry, cpu, "").kernel->name;
}

TEST(SelectionArm, EachKindOfCoreTakesItsOwn) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  for (const std::uint32_t core : {kA76, kA78, kA710, kX2, kN1, kN2, kV2}) {
    EXPECT_EQ(Selected(ordinary, With({core})), "neon_lut") << std::hex << core;
  }
  for (const std::uint32_t core : {kA53, kA55, kA510, kA520}) {
    EXPECT_EQ(Selected(ordinary, With({core})), "neon_inorder") << std::hex << core;
  }
  for (const std::uint32_t core : {kA57, kA72, kA73, kA75, kX1, kV1}) {
    EXPECT_EQ(Selected(ordinary, With({core})), "neon_xnor") << std::hex << core;
  }
}

// Dot products do not make an A55 a core for lookups, nor does their absence unmake an A76.
TEST(SelectionArm, TheCoreDecidesNotItsFeatures) {
  Cpu a55 = With({kA55});
  a55.dotprod = true;
  EXPECT_EQ(Selected(Convolution(64, 64, 3), a55), "neon_inorder");
  EXPECT_EQ(Selected(Convolution(64, 64, 3), With({kA76})), "neon_lut");
}

TEST(SelectionArm, CoresOfOtherMakers) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  EXPECT_EQ(Selected(ordinary, With({0x51804})), "neon_lut");      // Kryo 4xx Gold
  EXPECT_EQ(Selected(ordinary, With({0x51805})), "neon_inorder");  // Kryo 4xx Silver
  EXPECT_EQ(Selected(ordinary, With({0x51802})), "neon_xnor");     // Kryo 3xx Gold
  EXPECT_EQ(Selected(ordinary, With({0x51001})), "neon_xnor");     // Oryon
  EXPECT_EQ(Selected(ordinary, With({0x61023})), "neon_xnor");     // Apple Firestorm
  EXPECT_EQ(Selected(ordinary, With({0x48d40})), "neon_lut");      // Kirin 980's A76
}

TEST(SelectionArm, UnknownCoresTakeXnor) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  for (const Cpu& cpu :
       {Cpu{}, With({0}), With({0x41fff}), With({kA76, 0}), With({kA53, 0x12345})}) {
    EXPECT_EQ(Selected(ordinary, cpu), "neon_xnor");
  }
}

TEST(SelectionArm, ClustersAgreeOrTakeXnor) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  EXPECT_EQ(Selected(ordinary, With({kA76, kA78})), "neon_lut");
  EXPECT_EQ(Selected(ordinary, With({kA53, kA55})), "neon_inorder");
  for (const Cpu& cpu : {With({kA53, kA72}), With({kA55, kA76}), With({kA76, kA55}),
                         With({kA55, kA78, kX1}), With({kA510, kA710, kX2}), With({kX1, kA78})}) {
    EXPECT_EQ(Selected(ordinary, cpu), "neon_xnor");
  }
}

// Tables must be looked up often enough to be worth building, by enough channels at once.
TEST(SelectionArm, TablesOnlyWhereTheyPay) {
  const Cpu cpu = With({kA76});
  EXPECT_EQ(Selected(Convolution(32, 32, 3), cpu), "neon_lut");
  EXPECT_EQ(Selected(Convolution(32, 31, 3), cpu), "neon_xnor");
  EXPECT_EQ(Selected(Convolution(31, 32, 3), cpu), "neon_xnor");
  EXPECT_EQ(Selected(Convolution(256, 256, 1), cpu), "neon_xnor");
  EXPECT_EQ(Selected(Convolution(256, 256, 3, 2), cpu), "neon_xnor");
  bconv2d::Geometry grouped = Convolution(128, 64, 3);
  grouped.filter.groups = 2;
  EXPECT_EQ(Selected(grouped, cpu), "neon_xnor");
}

// All NEON kernels add up in 16 bits; what those do not hold is left to portable code.
TEST(SelectionArm, SixteenBitSumsOnlyWhereTheyFit) {
  for (const Cpu& cpu : {With({kA76}), With({kA53}), With({kA72})}) {
    EXPECT_NE(Selected(Convolution(7264, 64, 3), cpu), "portable");  // 65,376 bits
    EXPECT_EQ(Selected(Convolution(7296, 64, 3), cpu), "portable");  // 65,664 bits
  }
  for (const char* name : {"neon_lut", "neon_inorder", "neon_xnor"}) {
    EXPECT_EQ(bconv2d::Select(Convolution(7296, 64, 3), With({kA76}), name).error,
              std::string("kernel '") + name + "' cannot run this shape on this CPU");
  }
}

TEST(SelectionArm, ForcingByName) {
  for (const Cpu& cpu : {Cpu{}, With({kA53}), With({kA76})}) {
    for (const char* name : {"neon_lut", "neon_inorder", "neon_xnor", "portable"}) {
      EXPECT_STREQ(bconv2d::Select(Convolution(64, 64, 3), cpu, name).kernel->name, name);
    }
  }
}

TEST(SelectionArm, OtherOpsHaveOneKernelForAllCores) {
  const WindowAxis axis = *PlaceWindows(8, 2, 2, 1, Padding::kValid);
  for (const Cpu& cpu : {Cpu{}, With({kA53}), With({kA76})}) {
    EXPECT_STREQ(quantize::Select({4, 64}, cpu, "").kernel->name, "neon");
    EXPECT_STREQ(dequantize::Select({4, 64}, cpu, "").kernel->name, "neon");
    EXPECT_STREQ(bmaxpool::Select({1, axis, axis, 2}, cpu, "").kernel->name, "neon");
  }
}

}  // namespace
}  // namespace tfkit
#endif
