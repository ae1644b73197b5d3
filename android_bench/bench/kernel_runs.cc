// Runs one convolution kernel on one shape a number of times:
//
//   tfkit_kernel_runs KERNEL OUTPUT HEIGHT WIDTH IN OUT GROUPS FILTER RUNS
//
// with OUTPUT float, int8 or bitpacked of a binary convolution, w2a4 of a few-bit one whose weights
// have 2 bits and activations 4, or s90 of a float one of whose weights 90 % are zeros, b90 the
// same in blocks of 4 outputs. KERNEL "-" is the one that selection takes here, numbers like
// 0x41d0b,0x41d05 the one that it takes where the cores are of these types (implementer << 12 |
// part). Prints the kernel's name. What one run costs is the difference between two calls with
// different RUNS.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bconv2d/select.h"
#include "kernels/kbit_conv2d/select.h"
#include "kernels/sparse_conv2d/run.h"
#include "kernels/sparse_conv2d/select.h"

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

struct Arguments {
  std::string kernel;
  const char* output;
  int height, width, in, out, groups, size, runs;

  // The name to force.
  std::string Forced() const { return kernel == "-" || kernel.rfind("0x", 0) == 0 ? "" : kernel; }
};

// The kernel that selection takes, or null after a message.
template <typename Kernel, typename Geometry, typename SelectFunction>
const Kernel* Selected(const Arguments& arguments, const Geometry& geometry,
                       SelectFunction select) {
  const Selection<Kernel> selection = select(geometry, CpuOf(arguments.kernel), arguments.Forced());
  if (selection.kernel == nullptr) std::fprintf(stderr, "%s\n", selection.error.c_str());
  return selection.kernel;
}

// All runs of a convolution; 2 if it cannot.
template <typename Kernel, typename Geometry, typename Transform, typename MakeCallFunction>
int RunAll(const Arguments& arguments, const Kernel* kernel, const Geometry& geometry,
           const Transform& transform, std::size_t weight_words, std::size_t pixel_words,
           MakeCallFunction make_call) {
  if (kernel == nullptr) return 2;
  const auto weights = Bits(weight_words);
  const auto input = Bits(std::size_t(arguments.height) * arguments.width * pixel_words);
  const auto packed = kernel->pack(geometry.filter, weights.data());
  const auto workspace = kernel->workspace(geometry);
  Buffer shared(workspace.shared + 1);
  Buffer own(workspace.own + 1);
  std::vector<float> output(std::size_t(geometry.OutputRows()) * arguments.width * arguments.out);
  const auto call =
      make_call(geometry, transform, packed, input.data(), shared.data(), output.data());
  for (int run = 0; run < arguments.runs; ++run) {
    for (int stage = 0; stage < kernel->stages; ++stage) {
      kernel->run(call, stage, 0, kernel->units(geometry, stage), own.data());
    }
  }
  std::printf("%s\n", kernel->name);
  return 0;
}

int RunBinary(const Arguments& arguments, const WindowAxis& y, const WindowAxis& x) {
  bconv2d::Geometry geometry;
  geometry.filter = {arguments.in, arguments.out, arguments.groups, arguments.size, arguments.size};
  geometry.batch = 1;
  geometry.y = y;
  geometry.x = x;
  const bconv2d::Filter& filter = geometry.filter;
  return RunAll(arguments, Selected<bconv2d::Kernel>(arguments, geometry, bconv2d::Select),
                geometry, TransformOf(arguments.output, filter),
                std::size_t(filter.channels_out) * filter.Taps() * filter.WordsPerGroup(),
                geometry.InputWords(), bconv2d::MakeCall);
}

// Values as DoReFa's: weights 2 i - (2^W - 1), activations from 0 on; zeros around the image.
int RunFewBits(const Arguments& arguments, int weight_bits, int activation_bits,
               const WindowAxis& y, const WindowAxis& x) {
  kbit_conv2d::Geometry geometry;
  geometry.filter = {arguments.in,
                     arguments.out,
                     arguments.size,
                     arguments.size,
                     {weight_bits, 2, 1 - (1 << weight_bits)},
                     {activation_bits, 1, 0},
                     false};
  geometry.batch = 1;
  geometry.y = y;
  geometry.x = x;
  const std::size_t channels = kbit_conv2d::PaddedChannels(arguments.out);
  const std::vector<float> scales(channels, 0.01f);
  const std::vector<float> bias(channels, 0.5f);
  kbit_conv2d::OutputTransform transform;
  transform.scales = scales.data();
  transform.bias = bias.data();
  return RunAll(arguments, Selected<kbit_conv2d::Kernel>(arguments, geometry, kbit_conv2d::Select),
                geometry, transform, PackedWords(geometry.filter.StoredBits()),
                geometry.filter.InputWords(), kbit_conv2d::MakeCall);
}

// [outputs][depth]; the same outputs of a group get the same zeros where they come in blocks.
std::vector<float> SparseWeights(std::size_t outputs, std::size_t depth, int zeros, bool blocks) {
  const std::size_t group = blocks ? sparse_conv2d::kGroup : 1;
  const auto bits = Bits((outputs + group - 1) / group * depth);
  std::vector<float> weights(outputs * depth);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t k = 0; k < depth; ++k) {
      const std::uint32_t high = bits[o / group * depth + k] >> 16;
      weights[o * depth + k] = high * 100 < (std::uint32_t(zeros) << 16) ? 0.0f : 0.5f;
    }
  }
  return weights;
}

int RunSparse(const Arguments& arguments, int zeros, bool blocks, const WindowAxis& y,
              const WindowAxis& x) {
  sparse_conv2d::Geometry geometry;
  geometry.batch = 1;
  geometry.y = y;
  geometry.x = x;
  geometry.channels = arguments.in;
  const auto weights = SparseWeights(arguments.out, geometry.Depth(), zeros, blocks);
  const auto filter = sparse_conv2d::Compress(weights.data(), arguments.out, geometry.Depth());
  const auto* kernel = Selected<sparse_conv2d::Kernel>(
      arguments, ShapeOf(filter, geometry.Pixels()), sparse_conv2d::Select);
  if (kernel == nullptr) return 2;
  const std::vector<float> input(std::size_t(arguments.height) * arguments.width * arguments.in,
                                 0.5f);
  const std::vector<float> bias(arguments.out, 0.5f);
  std::vector<float> output(geometry.Pixels() * arguments.out);
  Buffer own(sparse_conv2d::OwnWords(*kernel, geometry));
  for (int run = 0; run < arguments.runs; ++run) {
    sparse_conv2d::Run(*kernel, geometry, {filter, bias.data(), {0.0f, 6.0f}}, input.data(),
                       output.data(), 0, Units(*kernel, geometry), own.data());
  }
  std::printf("%s\n", kernel->name);
  return 0;
}

int Main(char** words) {
  const auto number = [&](int i) { return std::atoi(words[3 + i]); };
  const Arguments arguments = {words[1],  words[2],  number(0), number(1), number(2),
                               number(3), number(4), number(5), number(6)};
  const auto y = PlaceWindows(arguments.height, arguments.size, 1, 1, Padding::kSame);
  const auto x = PlaceWindows(arguments.width, arguments.size, 1, 1, Padding::kSame);
  if (!y || !x) return 2;
  int weight_bits, activation_bits, zeros;
  char pattern;
  if (std::sscanf(arguments.output, "w%da%d", &weight_bits, &activation_bits) == 2) {
    return RunFewBits(arguments, weight_bits, activation_bits, *y, *x);
  }
  if (std::sscanf(arguments.output, "%c%d", &pattern, &zeros) == 2) {
    return RunSparse(arguments, zeros, pattern == 'b', *y, *x);
  }
  return RunBinary(arguments, *y, *x);
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
