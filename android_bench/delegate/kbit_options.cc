#include "delegate/kbit_options.h"

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "delegate/window_options.h"
#include "kernels/bits.h"

namespace tfkit {
namespace {

using kbit_conv2d::Code;
using kbit_conv2d::Filter;

// Options that every node has, in this order; with levels as output one more.
const std::vector<const char*> kOptions = {"activation_lowest",
                                           "activation_planes",
                                           "activation_step",
                                           "bases",
                                           "channels_in",
                                           "channels_out",
                                           "dilation_height_factor",
                                           "dilation_width_factor",
                                           "kernel_height",
                                           "kernel_width",
                                           "pad_bits",
                                           "padding",
                                           "stride_height",
                                           "stride_width",
                                           "weight_lowest",
                                           "weight_planes",
                                           "weight_step"};
const char* const kOutputPlanes = "output_planes";

int InRange(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return value;
  throw Unsupported(std::string("the option '") + name + "' is " + std::to_string(value) +
                    ", not " + std::to_string(low) + " to " + std::to_string(high));
}

// All that kernels add up on the way to a sum, in whatever order, must fit 32 bits.
void CheckSums(const Filter& filter) {
  const auto magnitude = [](const Code& code) {
    return std::int64_t{code.step} * ((1 << code.planes) - 1) + std::abs(code.lowest);
  };
  const std::int64_t largest = magnitude(filter.weights) * magnitude(filter.activations);
  // Words are counted whole by kernels that do not know their unused bits.
  const std::int64_t taps = std::int64_t{filter.height} * filter.width;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max() / 4;
  if (taps > kMost || taps * (std::int64_t{filter.channels_in} + kWordBits) > kMost ||
      taps * (std::int64_t{filter.channels_in} + kWordBits) * largest > kMost) {
    throw Unsupported("sums of " + std::to_string(filter.height) + " x " +
                      std::to_string(filter.width) + " x " + std::to_string(filter.channels_in) +
                      " products of up to " + std::to_string(largest) + " do not fit 32 bits");
  }
  if (filter.channels_out > kMost) throw Unsupported("it has too many output channels");
}

}  // namespace

KBitOptions ReadKBitOptions(const NodeView& node, bool dense, bool levels) {
  std::vector<const char*> names = kOptions;
  if (levels) names.push_back(kOutputPlanes);
  const std::vector<int> values = node.ReadOptions(names);
  const auto option = [&](int at, int low, int high) {
    return InRange(kOptions[at], values[at], low, high);
  };
  constexpr int kMost = std::numeric_limits<int>::max();
  constexpr int kMostStep = 1 << 10;
  KBitOptions options;
  Filter& filter = options.filter;
  filter.activations = {option(1, 1, kbit_conv2d::kMaxActivationPlanes), option(2, 1, kMostStep),
                        option(0, -kMostStep, kMostStep)};
  filter.bases = option(3, 0, 1) == 1;
  filter.channels_in = option(4, 1, kMost);
  filter.channels_out = option(5, 1, kMost);
  options.dilation_height = option(6, 1, kMost);
  options.dilation_width = option(7, 1, kMost);
  filter.height = option(8, 1, kMost);
  filter.width = option(9, 1, kMost);
  options.pad_bits = option(10, -1, (1 << filter.activations.planes) - 1);
  options.padding = PaddingOf(values[11]);
  options.stride_height = option(12, 1, dense ? 1 : kMost);
  options.stride_width = option(13, 1, dense ? 1 : kMost);
  filter.weights = {option(15, 1, kbit_conv2d::kMaxPlanes), option(16, 1, kMostStep),
                    option(14, -kMostStep, kMostStep)};
  if (levels) {
    options.output_planes =
        InRange(kOutputPlanes, values.back(), 1, kbit_conv2d::kMaxActivationPlanes);
  }
  CheckSums(filter);
  return options;
}

}  // namespace tfkit
