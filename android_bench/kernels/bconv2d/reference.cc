// The definition as plain loops: the meaning that every other kernel is tested against.
#include <cstring>

#include "kernels/bconv2d/kernel.h"

namespace tfkit::bconv2d {
namespace {

bool Runs(const Geometry&, const Cpu&) { return true; }

// The filter as it came, two words in one.
PackedFilter Pack(const Filter& filter, const std::uint32_t* source) {
  const std::size_t count =
      std::size_t(filter.channels_out) * filter.Taps() * filter.WordsPerGroup();
  PackedFilter packed;
  packed.words.assign((count + 1) / 2, 0);
  std::memcpy(packed.words.data(), source, count * sizeof *source);
  return packed;
}

std::size_t Workspace(const Geometry& geometry) { return (geometry.filter.channels_out + 1) / 2; }

int DifferingBits(std::uint32_t a, std::uint32_t b) { return __builtin_popcount(a ^ b); }

void Run(const Geometry& geometry, const PackedFilter& packed, const OutputTransform& transform,
         const std::uint32_t* input, std::uint64_t* workspace, void* output) {
  const Filter& filter = geometry.filter;
  const int words = filter.WordsPerGroup();
  const auto weight = [&](int channel, int fy, int fx, int word) {
    const std::size_t index =
        ((std::size_t(channel) * filter.height + fy) * filter.width + fx) * words + word;
    std::uint32_t value;
    std::memcpy(&value, reinterpret_cast<const char*>(packed.words.data()) + index * sizeof value,
                sizeof value);
    return value;
  };
  const auto bits = [&](int n, int y, int x, int word) {
    return input[((std::size_t(n) * geometry.y.input + y) * geometry.x.input + x) *
                     geometry.InputWords() +
                 word];
  };
  auto* d = reinterpret_cast<std::int32_t*>(workspace);

  std::size_t pixel = 0;
  for (int n = 0; n < geometry.batch; ++n) {
    for (int oy = 0; oy < geometry.y.output; ++oy) {
      for (int ox = 0; ox < geometry.x.output; ++ox, ++pixel) {
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
        StorePixel(transform, d, filter.channels_out, pixel, output);
      }
    }
  }
}

}  // namespace

const Kernel kernels::reference = {"reference", Runs, Pack, Workspace, Run};

}  // namespace tfkit::bconv2d
