// Which kernel each generation of x86 CPUs gets, for which shape.
#if defined(__x86_64__)
#include <gtest/gtest.h>

#include "kernels/bconv2d/select.h"
#include "kernels/bmaxpool/select.h"
#include "kernels/dequantize/select.h"
#include "kernels/quantize/select.h"

namespace tfkit {
namespace {

Cpu Haswell() {
  Cpu cpu;
  cpu.popcnt = cpu.avx2 = true;
  return cpu;
}

Cpu Skylake() {
  Cpu cpu = Haswell();
  cpu.avx512f = cpu.avx512bw = cpu.avx512dq = cpu.avx512vl = true;
  return cpu;
}

Cpu IceLake() {
  Cpu cpu = Skylake();
  cpu.avx512vbmi = cpu.avx512vpopcntdq = true;
  return cpu;
}

// Has AVX-512, but of what the kernels use only the foundation (and VPOPCNTDQ).
Cpu KnightsMill() {
  Cpu cpu = Haswell();
  cpu.avx512f = cpu.avx512vpopcntdq = true;
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

TEST(SelectionX86, EachGenerationTakesItsOwn) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  EXPECT_EQ(Selected(ordinary, IceLake()), "avx512vpopcntdq");
  for (const Cpu& cpu : {Skylake(), KnightsMill(), Haswell()}) {
    EXPECT_EQ(Selected(ordinary, cpu), "avx2_lut");
  }
  for (const Cpu& cpu : {IceLake(), Skylake()}) {
    EXPECT_STREQ(quantize::Select({4, 64}, cpu, "").kernel->name, "avx512bw");
    EXPECT_STREQ(dequantize::Select({4, 64}, cpu, "").kernel->name, "avx512bw");
  }
  for (const Cpu& cpu : {KnightsMill(), Haswell()}) {
    EXPECT_STREQ(quantize::Select({4, 64}, cpu, "").kernel->name, "avx2");
    EXPECT_STREQ(dequantize::Select({4, 64}, cpu, "").kernel->name, "avx2");
  }
  const WindowAxis axis = *PlaceWindows(8, 2, 2, 1, Padding::kValid);
  EXPECT_STREQ(bmaxpool::Select({1, axis, axis, 2}, Haswell(), "").kernel->name, "avx2");
}

// Tables must be looked up often enough to be worth building, by enough channels at once.
TEST(SelectionX86, TablesOnlyWhereTheyPay) {
  const Cpu cpu = Haswell();
  EXPECT_EQ(Selected(Convolution(256, 32, 3), cpu), "avx2_lut");
  EXPECT_EQ(Selected(Convolution(256, 31, 3), cpu), "avx2");
  EXPECT_EQ(Selected(Convolution(256, 64, 1), cpu), "avx2_lut");
  EXPECT_EQ(Selected(Convolution(256, 63, 1), cpu), "avx2");
  EXPECT_EQ(Selected(Convolution(256, 256, 1, 2), cpu), "avx2_lut");
  EXPECT_EQ(Selected(Convolution(256, 255, 1, 2), cpu), "avx2");
  bconv2d::Geometry one_row = Convolution(64, 64, 3);
  one_row.y = *PlaceWindows(1, 3, 1, 1, Padding::kSame);
  EXPECT_EQ(Selected(one_row, cpu), "avx2");
}

// The lookup kernel adds up in 16 bits, whatever the size of the image; the other in 32.
TEST(SelectionX86, SixteenBitSumsOnlyWhereTheyFit) {
  EXPECT_EQ(Selected(Convolution(7264, 64, 3), Haswell()), "avx2_lut");  // 65,376 bits
  const bconv2d::Geometry too_deep = Convolution(7296, 64, 3);           // 65,664 bits
  EXPECT_EQ(Selected(too_deep, Haswell()), "avx2");
  const auto refused = bconv2d::Select(too_deep, Haswell(), "avx2_lut");
  EXPECT_EQ(refused.kernel, nullptr);
  EXPECT_EQ(refused.error, "kernel 'avx2_lut' cannot run this shape on this CPU");
}

TEST(SelectionX86, ForcingByName) {
  const bconv2d::Geometry ordinary = Convolution(64, 64, 3);
  EXPECT_STREQ(bconv2d::Select(ordinary, IceLake(), "avx2_lut").kernel->name, "avx2_lut");
  EXPECT_STREQ(bconv2d::Select(ordinary, IceLake(), "avx2").kernel->name, "avx2");
  // A shape that it does not suit, but can run.
  EXPECT_STREQ(bconv2d::Select(Convolution(32, 1, 1), Haswell(), "avx2_lut").kernel->name,
               "avx2_lut");
  for (const Cpu& cpu : {Skylake(), KnightsMill(), Haswell()}) {
    EXPECT_EQ(bconv2d::Select(ordinary, cpu, "avx512vpopcntdq").kernel, nullptr);
  }
}

// Taps so far apart that the rows between them would not fit into memory.
TEST(SelectionX86, FarDilatedTapsAreLeftToOthers) {
  bconv2d::Geometry far = Convolution(64, 64, 3);
  far.x = *PlaceWindows(14, 3, 1, 1 << 28, Padding::kSame);
  EXPECT_EQ(Selected(far, IceLake()), "popcnt");
}

}  // namespace
}  // namespace tfkit
#endif
