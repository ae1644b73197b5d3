// Which few-bit kernel each generation of x86 CPUs gets, for which widths and shapes.
#if defined(__x86_64__)
#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/select.h"
#include "kernels/kbit_quantize/select.h"

namespace tfkit {
namespace {

using kbit_conv2d::Geometry;

Cpu Nehalem() {
  Cpu cpu;
  cpu.popcnt = true;
  return cpu;
}

Cpu Haswell() {
  Cpu cpu = Nehalem();
  cpu.avx2 = true;
  return cpu;
}

Cpu Skylake() {
  Cpu cpu = Haswell();
  cpu.avx512f = cpu.avx512bw = cpu.avx512dq = cpu.avx512vl = true;
  return cpu;
}

Cpu CascadeLake() {
  Cpu cpu = Skylake();
  cpu.avx512vnni = true;
  return cpu;
}

Cpu IceLake() {
  Cpu cpu = CascadeLake();
  cpu.avx512vbmi = cpu.avx512vpopcntdq = true;
  return cpu;
}

Geometry Convolution(int weights, int activations, int channels = 64, int filter = 3) {
  Geometry geometry;
  geometry.filter = {channels, channels, filter, filter, {weights, 1, 0}, {activations, 1, 0},
                     false};
  geometry.batch = 1;
  geometry.y = geometry.x = *PlaceWindows(14, filter, 1, 1, Padding::kSame);
  return geometry;
}

std::string Selected(const Geometry& geometry, const Cpu& cpu, const std::string& forced = "") {
  const auto selection = kbit_conv2d::Select(geometry, cpu, forced);
  return selection.kernel ? selection.kernel->name : selection.error;
}

TEST(KBitSelectionX86, TheCrossoverTable) {
  const char* const kSerial = "avx512vpopcntdq";
  const char* const kLut = "avx512bw_lut";
  const char* const kBytes = "avx512vnni";
  // Rows: weight planes 1 to 5; columns: activation planes 1 to 4.
  const char* const kOnIceLake[5][4] = {{kSerial, kSerial, kLut, kLut},
                                        {kSerial, kLut, kLut, kBytes},
                                        {kSerial, kBytes, kBytes, kBytes},
                                        {kSerial, kBytes, kBytes, kBytes},
                                        {kSerial, kBytes, kBytes, kBytes}};
  for (int w = 1; w <= 5; ++w) {
    for (int a = 1; a <= 4; ++a) {
      EXPECT_EQ(Selected(Convolution(w, a), IceLake()), kOnIceLake[w - 1][a - 1])
          << "W" << w << "A" << a;
      EXPECT_EQ(Selected(Convolution(w, a), Haswell()), w < 5 ? "avx2_lut" : "avx2")
          << "W" << w << "A" << a;
      EXPECT_EQ(Selected(Convolution(w, a), Nehalem()), "popcnt");
      EXPECT_EQ(Selected(Convolution(w, a), Cpu{}), "portable");
    }
  }
  EXPECT_EQ(Selected(Convolution(1, 1), Skylake()), kLut);
  EXPECT_EQ(Selected(Convolution(2, 2), Skylake()), kLut);
  EXPECT_EQ(Selected(Convolution(3, 1), CascadeLake()), kBytes);
}

TEST(KBitSelectionX86, ShapesMove) {
  // The weights of many channels stay in no cache.
  EXPECT_EQ(Selected(Convolution(2, 2, 256), IceLake()), "avx512vpopcntdq");
  // A few channels are padded to words, but to 4 bytes only.
  EXPECT_EQ(Selected(Convolution(1, 1, 3), IceLake()), "avx512vnni");
  // Tables serve as many output channels and taps as there are.
  Geometry narrow = Convolution(1, 4, 64, 1);
  narrow.filter.channels_out = 16;
  EXPECT_NE(Selected(narrow, IceLake()), "avx512bw_lut");
}

// Planes with scales of their own are no numbers.
TEST(KBitSelectionX86, BasesAreBitSerial) {
  Geometry geometry = Convolution(2, 2);
  geometry.filter.bases = true;
  EXPECT_EQ(Selected(geometry, IceLake()), "avx512vpopcntdq");
  for (const Cpu& cpu : {CascadeLake(), Haswell(), Nehalem()}) {
    EXPECT_EQ(Selected(geometry, cpu), "popcnt");
  }
  EXPECT_EQ(Selected(geometry, IceLake(), "avx512vnni"),
            "kernel 'avx512vnni' cannot run this shape on this CPU");
}

TEST(KBitSelectionX86, ForcingByName) {
  const std::map<std::string, Cpu> least = {{"avx512vpopcntdq", IceLake()},
                                            {"avx512vnni", CascadeLake()},
                                            {"avx512bw_lut", Skylake()},
                                            {"avx2_lut", Haswell()},
                                            {"avx2", Haswell()},
                                            {"popcnt", Nehalem()},
                                            {"portable", Cpu{}},
                                            {"reference", Cpu{}}};
  for (const auto& [name, cpu] : least) {
    for (int w = 1; w <= 4; ++w) EXPECT_EQ(Selected(Convolution(w, 2), cpu, name), name);
  }
  EXPECT_EQ(Selected(Convolution(1, 1), Skylake(), "avx512vnni"),
            "kernel 'avx512vnni' cannot run this shape on this CPU");
}

// A padded image that no memory holds is left to the kernels that gather windows.
TEST(KBitSelectionX86, FarTapsAreGathered) {
  Geometry geometry = Convolution(1, 1);
  geometry.y = *PlaceWindows(1, 3, 1, 100000, Padding::kSame);
  geometry.x = *PlaceWindows(1, 3, 1, 100000, Padding::kSame);
  EXPECT_EQ(Selected(geometry, IceLake()), "popcnt");
}

TEST(KBitSelectionX86, Quantize) {
  const kbit_quantize::Shape shape = {4, 64, 2};
  EXPECT_STREQ(kbit_quantize::Select(shape, IceLake(), "").kernel->name, "avx512bw");
  EXPECT_STREQ(kbit_quantize::Select(shape, Haswell(), "").kernel->name, "avx2");
  EXPECT_STREQ(kbit_quantize::Select(shape, Nehalem(), "").kernel->name, "portable");
}

}  // namespace
}  // namespace tfkit
#endif
