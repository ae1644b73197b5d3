// What is made of Linux's descriptions of Arm cores, also of those that are cut off or lie.
#include "kernels/arm_cores.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "kernels/cpu.h"
#include "tests/random.h"

namespace tfkit {

// Found by its argument's namespace.
bool operator==(const ArmCore& a, const ArmCore& b) {
  return a.processor == b.processor && a.type == b.type;
}

namespace {

constexpr std::uint32_t kA53 = 0x41d03;
constexpr std::uint32_t kA55 = 0x41d05;
constexpr std::uint32_t kA76 = 0x41d0b;

std::string Processor(const std::string& number, const std::string& implementer,
                      const std::string& part) {
  return "processor\t: " + number +
         "\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd\nCPU implementer\t: " + implementer +
         "\nCPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: " + part +
         "\nCPU revision\t: 4\n\n";
}

TEST(ArmCores, Midr) {
  EXPECT_EQ(ParseMidr("0x00000000410fd034\n"), kA53);
  EXPECT_EQ(ParseMidr("0x00000000411fd0b1"), kA76);
  EXPECT_EQ(CoreType(0x510F8040), 0x51804u);
  for (const char* text : {"", "\n", "0x", "410fd034 ", "0x410fd034 0x410fd034", "-1",
                           "0x1ffffffffffffffff", "99999999999999999999"}) {
    EXPECT_EQ(ParseMidr(text), std::nullopt) << text;
  }
}

TEST(ArmCores, CpuInfoOfClusters) {
  const std::string text = Processor("0", "0x41", "0xd05") + Processor("1", "0x41", "0xd05") +
                           Processor("6", "0x41", "0xd0b") + "Hardware\t: Some board\n";
  EXPECT_EQ(ParseCpuInfo(text), (std::vector<ArmCore>{{0, kA55}, {1, kA55}, {6, kA76}}));
}

TEST(ArmCores, CpuInfoThatDescribesAllProcessorsAtOnce) {
  const std::string text =
      "Processor\t: AArch64 Processor rev 4 (aarch64)\nprocessor\t: 0\nprocessor\t: 1\n"
      "Features\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: AArch64\n"
      "CPU variant\t: 0x0\nCPU part\t: 0xd03\nCPU revision\t: 4\n";
  EXPECT_EQ(ParseCpuInfo(text), (std::vector<ArmCore>{{0, kA53}, {1, kA53}}));
}

TEST(ArmCores, CpuInfoThatMakesNoSense) {
  for (const std::string& text :
       {std::string(), std::string("\0\0:\n", 4), std::string(":"),
        std::string("CPU part: 0xd03\n"), std::string("processor: 0\nCPU part: 0xd03"),
        Processor("0", "0x141", "0xd03"), Processor("0", "0x41", "0x1d03"),
        Processor("-1", "0x41", "0xd03"), Processor("99999999999999999999", "0x41", "0xd03"),
        Processor("0", "0x41", "")}) {
    EXPECT_TRUE(ParseCpuInfo(text).empty()) << text;
  }
  // An x86 CPU's.
  EXPECT_TRUE(
      ParseCpuInfo("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n").empty());
}

TEST(ArmCores, CpuInfoOfAnyBytes) {
  testing::Random random(55);
  const std::string sound = Processor("0", "0x41", "0xd05") + Processor("1", "0x41", "0xd0b");
  for (int i = 0; i < 2000; ++i) {
    std::string text = sound.substr(0, random.Integer(0, static_cast<int>(sound.size())));
    for (int change = random.Integer(0, 8); change > 0 && !text.empty(); --change) {
      text[random.Integer(0, static_cast<int>(text.size()) - 1)] =
          static_cast<char>(random.Integer(0, 255));
    }
    for (const ArmCore& core : ParseCpuInfo(text)) {
      ASSERT_GE(core.processor, 0);
      ASSERT_LT(core.type, 1u << 20);
    }
  }
}

class Root {
 public:
  Root() {
    char path[] = "/tmp/tfkit-arm-cores-XXXXXX";
    path_ = mkdtemp(path);
  }
  ~Root() { std::filesystem::remove_all(path_); }
  void Write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = path_ + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  void WriteMidr(int processor, const std::string& text) const {
    Write(
        "sys/devices/system/cpu/cpu" + std::to_string(processor) + "/regs/identification/midr_el1",
        text);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ArmCores, RegistersComeBeforeTheList) {
  const Root root;
  root.WriteMidr(4, "0x00000000414fd0b0\n");
  root.WriteMidr(5, "unreadable");
  root.Write("proc/cpuinfo", Processor("4", "0x41", "0xd05") + Processor("5", "0x41", "0xd05"));
  EXPECT_EQ(ReadCoreTypes({4, 5, 6}, root.path()), (std::vector<std::uint32_t>{kA76, kA55, 0}));
}

TEST(ArmCores, WithoutFilesNothingIsKnown) {
  const Root root;
  EXPECT_EQ(ReadCoreTypes({0, 1}, root.path()), (std::vector<std::uint32_t>{0, 0}));
  root.Write("proc/cpuinfo", std::string(5 << 20, ':'));
  EXPECT_EQ(ReadCoreTypes({0}, root.path()), (std::vector<std::uint32_t>{0}));
}

TEST(ArmCores, ACpuHoldsEachKindOnceAndNeverTooMany) {
  Cpu cpu;
  for (int i = 0; i < 3; ++i) cpu.AddCoreType(kA55);
  cpu.AddCoreType(kA76);
  EXPECT_EQ(cpu.core_type_count, 2);
  for (std::uint32_t type = 1; type <= 100; ++type) cpu.AddCoreType(type);
  EXPECT_EQ(cpu.core_type_count, Cpu::kMaxCoreTypes);
  EXPECT_EQ(cpu.core_types[Cpu::kMaxCoreTypes - 1], 0u);
}

}  // namespace
}  // namespace tfkit
