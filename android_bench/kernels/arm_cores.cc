#include "kernels/arm_cores.h"

#include <cstdio>
#include <memory>

namespace tfkit {
namespace {

// A file of the kernel's is far shorter, of a thousand processors too; what is longer is cut.
constexpr std::size_t kMaxText = std::size_t{1} << 20;
constexpr std::uint64_t kMaxProcessor = 1 << 20;

std::string ReadText(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "re"),
                                                             std::fclose);
  std::string text;
  if (!file) return text;
  char part[4096];
  while (text.size() < kMaxText) {
    const std::size_t count = std::fread(part, 1, sizeof part, file.get());
    if (count == 0) break;
    text.append(part, count);
  }
  return text;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// A whole text as a number, "12" or "0xd03", no larger than `max`.
std::optional<std::uint64_t> ParseNumber(std::string_view text, std::uint64_t max) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const unsigned base = hexadecimal ? 16 : 10;
  if (hexadecimal) text.remove_prefix(2);
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : text) {
    unsigned digit = base;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit >= base || digit > max || number > (max - digit) / base) return std::nullopt;
    number = number * base + digit;
  }
  return number;
}

}  // namespace

std::optional<std::uint32_t> ParseMidr(std::string_view text) {
  const auto midr = ParseNumber(Trimmed(text), UINT64_MAX);
  if (!midr) return std::nullopt;
  return CoreType(*midr);
}

std::vector<ArmCore> ParseCpuInfo(std::string_view text) {
  std::vector<ArmCore> cores;
  std::size_t described = 0;      // of `cores`; the rest wait for their part
  std::uint64_t implementer = 0;  // which Arm gives to nobody: not read yet
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = Trimmed(line.substr(0, colon));
    const std::string_view value = Trimmed(line.substr(colon + 1));
    if (name == "processor") {
      const auto number = ParseNumber(value, kMaxProcessor);
      if (number) cores.push_back({static_cast<int>(*number), 0});
    } else if (name == "CPU implementer") {
      implementer = ParseNumber(value, 0xff).value_or(0);
    } else if (name == "CPU part") {
      const auto part = ParseNumber(value, 0xfff);
      if (implementer != 0 && part) {
        for (; described < cores.size(); ++described) {
          cores[described].type = static_cast<std::uint32_t>(implementer << 12 | *part);
        }
      }
      implementer = 0;
    }
  }
  cores.resize(described);
  return cores;
}

std::vector<std::uint32_t> ReadCoreTypes(const std::vector<int>& processors,
                                         const std::string& root) {
  std::vector<std::uint32_t> types;
  std::optional<std::vector<ArmCore>> listed;  // read when first needed
  for (const int processor : processors) {
    const std::string folder = root + "/sys/devices/system/cpu/cpu" + std::to_string(processor);
    auto type = ParseMidr(ReadText(folder + "/regs/identification/midr_el1"));
    if (!type) {
      if (!listed) listed = ParseCpuInfo(ReadText(root + "/proc/cpuinfo"));
      for (const ArmCore& core : *listed) {
        if (core.processor == processor) type = core.type;
      }
    }
    types.push_back(type.value_or(0));
  }
  return types;
}

}  // namespace tfkit
