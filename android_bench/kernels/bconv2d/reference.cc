// The definition as plain loops: the meaning that every other kernel is tested against.
#include <cstring>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {
namespace {

Fit Suits(const Geometry&, const Cpu&) { return Fit::kSuits; }

// The filter as it came, two words in one.
PackedFilter Pack(const Filter& filter, const std::uint32_t* source) {
  const std::size_t count =
      std::size_t(filter.channels_out) * filter.Taps() * filter.WordsPerGroup();
  PackedFilter packed;
  packed.words = Buffer((count + 1) / 2);
  std::memcpy(packed.words.data(), source, count * sizeof *source);
  return packed;
}

Workspace Scratch(const Geometry& geometry) {
  return {0, (std::size_t(geometry.filter.channels_out) + 1) / 2};
}

// A unit is an output row.
std::int64_t Units(const Geometry& geometry, int) { return geometry.OutputRows(); }

int DifferingBits(std::uint32_t a, std::uint32_t b) { return __builtin_popcount(a ^ b); }

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const int words = filter.WordsPerGroup();
  const auto weight = [&](int channel, int fy, int fx, int word) {
    const std::size_t index =
        ((std::size_t(channel) * filter.height + fy) * filter.width + fx) * words + word;
    std::uint32_t value;
    std::memcpy(&value, reinterpret_cast<const char*>(call.weights) + index * sizeof value,
                sizeof value);
    return value;
  };
  const auto bits = [&](std::int64_t n, int y, int x, int word) {
    return call.input[((std::size_t(n) * geometry.y.input + y) * geometry.x.input + x) *
                          geometry.InputWords() +
                      word];
  };
  auto* d = reinterpret_cast<std::int32_t*>(own);

  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t n = row / geometry.y.output;
    const int oy = static_cast<int>(row % geometry.y.output);
    for (int ox = 0; ox < geometry.x.output; ++ox) {
      for (int c = 0; c < filter.channels_out; ++c) {
        const int group = c / filter.OutputsPerGroup();
        d[c] = 0;
        for (int fy = 0; fy < filter.height; ++fy) {
          for (int fx = 0; fx < filter.width; ++fx) {
            const int y = geometry.y.Pixel(oy, fy);
            const int x = geometry.x.Pixel(ox, fx);
            const bool inside = geometry.y.Inside(y) && geometry.x.Inside(x);
            if (!inside && geometry.zero_padding) {
              d[c] += filter.ChannelsPerGroup();
              continue;
            }
            for (int w = 0; w < words; ++w) {
              const std::uint32_t value = inside ? bits(n, y, x, group * words + w) : 0;
              d[c] += 2 * DifferingBits(value, weight(c, fy, fx, w));
            }
          }
        }
      }
      StorePixels(call.transform, d, filter.channels_out, row * geometry.x.output + ox, 1,
                  call.output);
    }
  }
}

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Suits, Pack, Scratch,
                                   1,           Units,          Run};

}  // namespace tfkit::bconv2d
