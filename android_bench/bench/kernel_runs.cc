// Runs one convolution kernel on one shape a number of times:
//
//   tfkit_kernel_runs KERNEL OUTPUT HEIGHT WIDTH IN OUT GROUPS FILTER RUNS
//
// with OUTPUT float, int8 or bitpacked. KERNEL "-" is the one that selection takes here, numbers
// like 0x41d0b,0x41d05 the one that it takes where the cores are of these types (implementer << 12
// | part). Prints the kernel's name. What one run costs is the difference between two calls with
// different RUNS.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bconv2d/select.h"

namespace tfkit {
namespace {

std::vector<std::uint32_t> Bits(std::size_t words) {
  std::vector<std::uint32_t> bits(words);
  std::uint32_t state = 1;
  for (std::uint32_t& word : bits) word = state = state * 1664525u + 1013904223u;
  return bits;
}

bconv2d::OutputTransform TransformOf(const char* output, const bconv2d::Filter& filter) {
  const std::vector<float> multiplier(filter.channels_out, 0.01f);
  const std::vector<float> bias(filter.channels_out, 0.5f);
  const std::vector<std::int32_t> threshold(filter.channels_out, filter.Depth() / 2);
  const auto none = bconv2d::Activation::kNone;
  if (std::strcmp(output, "bitpacked") == 0) {
    return bconv2d::BitpackedOutput(filter, threshold.data());
  }
  if (std::strcmp(output, "int8") == 0) {
    return bconv2d::Int8Output(filter, none, multiplier.data(), bias.data(), 0.1f, 3);
  }
  return bconv2d::FloatOutput(filter, none, multiplier.data(), bias.data());
}

// This CPU, or one of its features with other cores: "0x41d0b,0x41d05".
Cpu CpuOf(const std::string& kernel) {
  Cpu cpu = HostCpu();
  if (kernel.rfind("0x", 0) != 0) return cpu;
  cpu.core_type_count = 0;
  for (const char* at = kernel.c_str(); *at != '\0';) {
    char* end;
    cpu.AddCoreType(static_cast<std::uint32_t>(std::strtoul(at, &end, 16)));
    if (end == at) break;
    at = *end == ',' ? end + 1 : end;
  }
  return cpu;
}

int Main(char** arguments) {
  const std::string kernel_name = arguments[1];
  const bool selected = kernel_name == "-" || kernel_name.rfind("0x", 0) == 0;
  int numbers[7];
  for (int i = 0; i < 7; ++i) numbers[i] = std::atoi(arguments[3 + i]);
  const auto [height, width, in, out, groups, size, runs] = numbers;

  bconv2d::Geometry geometry;
  geometry.filter = {in, out, groups, size, size};
  geometry.batch = 1;
  const auto y = PlaceWindows(height, size, 1, 1, Padding::kSame);
  const auto x = PlaceWindows(width, size, 1, 1, Padding::kSame);
  if (!y || !x) return 2;
  geometry.y = *y;
  geometry.x = *x;
  const bconv2d::Filter& filter = geometry.filter;
  const auto selection = bconv2d::Select(geometry, CpuOf(kernel_name), selected ? "" : kernel_name);
  if (selection.kernel == nullptr) {
    std::fprintf(stderr, "%s\n", selection.error.c_str());
    return 2;
  }
  const bconv2d::Kernel& kernel = *selection.kernel;

  const auto weights =
      Bits(std::size_t(filter.channels_out) * filter.Taps() * filter.WordsPerGroup());
  const auto input = Bits(std::size_t(height) * width * geometry.InputWords());
  const bconv2d::OutputTransform transform = TransformOf(arguments[2], filter);
  const bconv2d::PackedFilter packed = kernel.pack(filter, weights.data());
  const bconv2d::Workspace workspace = kernel.workspace(geometry);
  Buffer shared(workspace.shared + 1);
  Buffer own(workspace.own + 1);
  std::vector<float> output(std::size_t(geometry.OutputRows()) * width * filter.channels_out);
  const auto call =
      bconv2d::MakeCall(geometry, transform, packed, input.data(), shared.data(), output.data());
  for (int run = 0; run < runs; ++run) {
    for (int stage = 0; stage < kernel.stages; ++stage) {
      kernel.run(call, stage, 0, kernel.units(geometry, stage), own.data());
    }
  }
  std::printf("%s\n", kernel.name);
  return 0;
}

}  // namespace
}  // namespace tfkit

int main(int count, char** arguments) {
  if (count != 10) {
    std::fprintf(stderr, "usage: %s KERNEL OUTPUT HEIGHT WIDTH IN OUT GROUPS FILTER RUNS\n",
                 arguments[0]);
    return 2;
  }
  return tfkit::Main(arguments);
}
