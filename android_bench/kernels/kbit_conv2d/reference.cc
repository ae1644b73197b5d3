// The definition as plain loops: the meaning that every other kernel is tested against.
#include <cstring>

#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d {
namespace {

Fit Suits(const Geometry&, const Cpu&) { return Fit::kSuits; }

// The weights as they came.
PackedFilter Pack(const Filter& filter, const std::uint32_t* stored) {
  PackedFilter packed;
  packed.words = Buffer((filter.StoredBits() + 63) / 64);
  std::memcpy(packed.words.data(), stored, PackedWords(filter.StoredBits()) * sizeof *stored);
  return packed;
}

Workspace Scratch(const Geometry&) { return {}; }

unsigned WeightBits(const Call& call, int channel, int tap, int c) {
  const Filter& filter = call.geometry.filter;
  unsigned bits = 0;
  for (int plane = 0; plane < filter.weights.planes; ++plane) {
    const std::int64_t at = (std::int64_t{plane} * filter.channels_out + channel) * filter.Depth() +
                            std::int64_t{tap} * filter.channels_in + c;
    bits |= static_cast<unsigned>(call.weights[at / 64] >> (at % 64) & 1) << plane;
  }
  return bits;
}

unsigned InputBits(const Filter& filter, const std::uint32_t* pixel, int c) {
  unsigned bits = 0;
  for (int plane = 0; plane < filter.activations.planes; ++plane) {
    bits |= (pixel[plane * filter.PlaneWords() + c / kWordBits] >> (c % kWordBits) & 1u) << plane;
  }
  return bits;
}

// The sums of one output, [Terms()].
void Sum(const Call& call, std::int64_t n, int oy, int ox, int channel, std::int32_t* sums) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  for (int t = 0; t < filter.Terms(); ++t) sums[t] = 0;
  for (int tap = 0; tap < filter.Taps(); ++tap) {
    const int y = geometry.y.Pixel(oy, tap / filter.width);
    const int x = geometry.x.Pixel(ox, tap % filter.width);
    const bool inside = geometry.y.Inside(y) && geometry.x.Inside(x);
    if (!inside && geometry.pad_bits < 0) continue;
    const std::uint32_t* pixel =
        inside ? call.input + ((std::size_t(n) * geometry.y.input + y) * geometry.x.input + x) *
                                  filter.InputWords()
               : nullptr;
    for (int c = 0; c < filter.channels_in; ++c) {
      const unsigned w = WeightBits(call, channel, tap, c);
      const unsigned a =
          inside ? InputBits(filter, pixel, c) : static_cast<unsigned>(geometry.pad_bits);
      if (!filter.bases) {
        sums[0] += filter.weights.OfIndex(w) * filter.activations.OfIndex(a);
        continue;
      }
      for (int i = 0; i < filter.weights.planes; ++i) {
        for (int j = 0; j < filter.activations.planes; ++j) {
          sums[i * filter.activations.planes + j] +=
              filter.weights.OfBit(w, i) * filter.activations.OfBit(a, j);
        }
      }
    }
  }
}

// float(sum) * scale ... + bias.
float Float(const Call& call, int channel, const std::int32_t* sums) {
  const Filter& filter = call.geometry.filter;
  const std::size_t padded = PaddedChannels(filter.channels_out);
  float y = 0.0f;
  for (int t = 0; t < filter.Terms(); ++t) {
    const float product = static_cast<float>(sums[t]) * call.transform.scales[t * padded + channel];
    y = filter.bases ? y + product : product;
  }
  return y + call.transform.bias[channel];
}

unsigned LevelBits(const OutputTransform& transform, std::size_t padded, int channel,
                   std::int32_t sum) {
  int level = 0;
  for (int t = 0; t < transform.thresholds; ++t) {
    level += (sum ^ transform.flip[channel]) >= transform.threshold[t * padded + channel];
  }
  return transform.bits[level];
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t*) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const OutputTransform& transform = call.transform;
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::size_t words = PackedWords(filter.channels_out);
  std::int32_t sums[kMaxPlanes * kMaxActivationPlanes];
  for (std::int64_t row = begin; row < end; ++row) {
    for (int ox = 0; ox < geometry.x.output; ++ox) {
      const std::size_t pixel = std::size_t(row) * geometry.x.output + ox;
      const bool floats = transform.type == OutputType::kFloats;
      if (!floats) {
        std::memset(call.Levels(pixel), 0, transform.planes * words * sizeof(std::uint32_t));
      }
      for (int channel = 0; channel < filter.channels_out; ++channel) {
        Sum(call, row / geometry.y.output, static_cast<int>(row % geometry.y.output), ox, channel,
            sums);
        if (floats) {
          call.Floats(pixel)[channel] = Float(call, channel, sums);
          continue;
        }
        const std::uint32_t bits = LevelBits(transform, padded, channel, sums[0]);
        for (int j = 0; j < transform.planes; ++j) {
          call.Levels(pixel)[j * words + channel / kWordBits] |= (bits >> j & 1u)
                                                                 << (channel % kWordBits);
        }
      }
    }
  }
}

std::int64_t Units(const Geometry& geometry, int) { return geometry.OutputRows(); }

}  // namespace

const Kernel kernels::reference = {"reference", Isa::kBaseline, Road::kLoops, Suits, Pack, Scratch,
                                   1,           Units,          Run};

}  // namespace tfkit::kbit_conv2d
