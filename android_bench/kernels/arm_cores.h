// Which kinds of Arm core a process may run on, from what Linux says of them. Builds everywhere, so
// that it is tested everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tfkit {

// Of the register MIDR_EL1, what tells one kind of core from another: implementer << 12 | part.
constexpr std::uint32_t CoreType(std::uint64_t midr) {
  return static_cast<std::uint32_t>((midr >> 24 & 0xff) << 12 | (midr >> 4 & 0xfff));
}

struct ArmCore {
  int processor;  // Linux's number
  std::uint32_t type;
};

// The text of a file midr_el1, "0x00000000410fd034\n"; nothing if it is anything else.
std::optional<std::uint32_t> ParseMidr(std::string_view text);

// The processors that the text of /proc/cpuinfo gives both an implementer and a part. Old kernels
// list all processors first and then say once what they are. Lines that make no sense are passed
// over.
std::vector<ArmCore> ParseCpuInfo(std::string_view text);

// The kind of each of these processors, 0 where it is unknown, from the files below `root` ("" but
// in tests): of each processor's own register, else of /proc/cpuinfo.
std::vector<std::uint32_t> ReadCoreTypes(const std::vector<int>& processors,
                                         const std::string& root);

}  // namespace tfkit
