// XNOR-popcount for out-of-order cores, which schedule it themselves. Of 96 vector instructions per
// 4096 products (EOR, CNT, a tree of ADDP) none is for reducing: the tree both adds and brings each
// channel's sum into its lane. 8 pixels share the loads of the weights.
#include <arm_neon.h>

#include "kernels/bconv2d/neon_tiled.h"
#include "kernels/bconv2d/neon_transform.h"

namespace tfkit::bconv2d {
namespace {

using neon::kTileChannels;
using neon::kTilePixels;

struct Weights {
  uint8x16_t channel[kTileChannels];
};

[[gnu::always_inline]] inline Weights Load(const std::uint8_t* weights) {
  Weights loaded;
#pragma GCC unroll 8
  for (int c = 0; c < kTileChannels; ++c) loaded.channel[c] = vld1q_u8(weights + 16 * c);
  return loaded;
}

// Sums of pairs of bytes, channel by channel. In assembly because compilers interleave the pixels,
// which an out-of-order core does by itself, until they run out of registers.
[[gnu::always_inline]] inline uint8x16_t Differing(const Weights& weights, uint8x16_t a) {
  uint8x16_t sums, x1, x2, x3, x4, x5, x6, x7;
  asm("eor %[x0].16b, %[w0].16b, %[a].16b\n"
      "eor %[x1].16b, %[w1].16b, %[a].16b\n"
      "eor %[x2].16b, %[w2].16b, %[a].16b\n"
      "eor %[x3].16b, %[w3].16b, %[a].16b\n"
      "eor %[x4].16b, %[w4].16b, %[a].16b\n"
      "eor %[x5].16b, %[w5].16b, %[a].16b\n"
      "eor %[x6].16b, %[w6].16b, %[a].16b\n"
      "eor %[x7].16b, %[w7].16b, %[a].16b\n"
      "cnt %[x0].16b, %[x0].16b\n"
      "cnt %[x1].16b, %[x1].16b\n"
      "cnt %[x2].16b, %[x2].16b\n"
      "cnt %[x3].16b, %[x3].16b\n"
      "cnt %[x4].16b, %[x4].16b\n"
      "cnt %[x5].16b, %[x5].16b\n"
      "cnt %[x6].16b, %[x6].16b\n"
      "cnt %[x7].16b, %[x7].16b\n"
      "addp %[x0].16b, %[x0].16b, %[x1].16b\n"
      "addp %[x2].16b, %[x2].16b, %[x3].16b\n"
      "addp %[x4].16b, %[x4].16b, %[x5].16b\n"
      "addp %[x6].16b, %[x6].16b, %[x7].16b\n"
      "addp %[x0].16b, %[x0].16b, %[x2].16b\n"
      "addp %[x4].16b, %[x4].16b, %[x6].16b\n"
      "addp %[x0].16b, %[x0].16b, %[x4].16b\n"
      : [x0] "=&w"(sums), [x1] "=&w"(x1), [x2] "=&w"(x2), [x3] "=&w"(x3), [x4] "=&w"(x4),
        [x5] "=&w"(x5), [x6] "=&w"(x6), [x7] "=&w"(x7)
      : [a] "w"(a), [w0] "w"(weights.channel[0]), [w1] "w"(weights.channel[1]),
        [w2] "w"(weights.channel[2]), [w3] "w"(weights.channel[3]), [w4] "w"(weights.channel[4]),
        [w5] "w"(weights.channel[5]), [w6] "w"(weights.channel[6]), [w7] "w"(weights.channel[7]));
  return sums;
}

template <int pixels>
[[gnu::always_inline]] inline void AddStep(const std::uint8_t* patch, const std::uint8_t* weights,
                                           uint16x8_t* sums) {
  const Weights w = Load(weights);
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p) {
    sums[p] = vpadalq_u8(sums[p], Differing(w, vld1q_u8(patch + 16 * p)));
  }
}

// Two pixels a vector: the tree leaves one's sum in a lane's low byte, the other's in the high.
template <int pixels>
[[gnu::always_inline]] inline void SetToHalfStep(const std::uint8_t* patch,
                                                 const std::uint8_t* weights, uint16x8_t* sums) {
  const Weights w = Load(weights);
#pragma GCC unroll 4
  for (int p = 0; p < pixels; p += 2) {
    const uint16x8_t both = vreinterpretq_u16_u8(Differing(w, vld1q_u8(patch + 8 * p)));
    sums[p] = vandq_u16(both, vdupq_n_u16(0xff));
    if (p + 1 < pixels) sums[p + 1] = vshrq_n_u16(both, 8);
  }
}

// Writes the sums of some pixels and 8 channels, and moves on to the next 8 channels.
struct CountSink {
  std::uint16_t* counts;

  template <int pixels>
  [[gnu::always_inline]] inline void Put(const uint16x8_t* sums) {
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p) vst1q_u16(counts + kTileChannels * p, sums[p]);
    counts += kTileChannels * pixels;
  }
};

struct FloatSink {
  neon::OutputPlace place;

  template <int pixels>
  [[gnu::always_inline]] inline void Put(const uint16x8_t* sums) {
    const neon::Linear linear = neon::LinearOf(place.multiplier, place.bias, 0, 0);
    std::uint8_t* output = place.output;
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p, output += place.pitch) {
      auto* values = reinterpret_cast<float*>(output);
      vst1q_f32(values, linear.Of<false>(sums[p], 0));
      vst1q_f32(values + 4, linear.Of<false>(sums[p], 1));
    }
    place.multiplier += kTileChannels;
    place.bias += kTileChannels;
    place.output += kTileChannels * sizeof(float);
  }
};

struct BitSink {
  neon::OutputPlace place;

  template <int pixels>
  [[gnu::always_inline]] inline void Put(const uint16x8_t* sums) {
    static_assert(pixels == 7 || pixels == 8);
    uint16x8_t all[8];
#pragma GCC unroll 8
    for (int p = 0; p < 8; ++p) all[p] = sums[p < pixels ? p : 0];
    const uint8x8_t bits = neon::Bits(place.threshold, all);
    std::uint8_t* output = place.output;
    // The lanes are constants to the instruction.
    vst1_lane_u8(output, bits, 0);
    vst1_lane_u8(output += place.pitch, bits, 1);
    vst1_lane_u8(output += place.pitch, bits, 2);
    vst1_lane_u8(output += place.pitch, bits, 3);
    vst1_lane_u8(output += place.pitch, bits, 4);
    vst1_lane_u8(output += place.pitch, bits, 5);
    vst1_lane_u8(output += place.pitch, bits, 6);
    if constexpr (pixels == 8) vst1_lane_u8(output += place.pitch, bits, 7);
    place.threshold += kTileChannels;
    ++place.output;
  }
};

template <int pixels, bool half, typename Sink>
[[gnu::always_inline]] inline void Sum(const std::uint8_t* patch, const std::uint8_t* weights,
                                       std::size_t vectors, std::size_t steps, Sink sink) {
  constexpr int kWeightBytes = 16 * kTileChannels;
  constexpr int kPatchBytes = 16 * pixels;
  for (std::size_t v = 0; v < vectors; ++v) {
    uint16x8_t sums[pixels];
    if constexpr (half) {
      SetToHalfStep<pixels>(patch + steps * kPatchBytes, weights + steps * kWeightBytes, sums);
    } else {
#pragma GCC unroll 8
      for (int p = 0; p < pixels; ++p) sums[p] = vdupq_n_u16(0);
    }
    if (!half || steps > 0) {
      const std::uint8_t* a = patch;
      for (std::size_t step = 1; step < steps; ++step, a += kPatchBytes, weights += kWeightBytes) {
        AddStep<pixels>(a, weights, sums);
      }
      // The last step stands by itself: what is done with the sums goes under its arithmetic.
      AddStep<pixels>(a, weights, sums);
      weights += kWeightBytes;
      sink.template Put<pixels>(sums);
    } else {
      sink.template Put<pixels>(sums);
    }
    if (half) weights += kWeightBytes;
  }
}

template <int pixels, bool half>
void Count(const std::uint8_t* patch, const std::uint8_t* weights, std::size_t vectors,
           std::size_t steps, std::uint16_t* counts) {
  Sum<pixels, half>(patch, weights, vectors, steps, CountSink{counts});
}

template <int pixels, bool half, typename Sink>
void Output(const std::uint8_t* patch, const std::uint8_t* weights, std::size_t vectors,
            std::size_t steps, const neon::OutputPlace& place) {
  Sum<pixels, half>(patch, weights, vectors, steps, Sink{place});
}

constexpr neon::TileFunctions Functions() {
  neon::TileFunctions functions = {
      {{nullptr, Count<1, false>, Count<2, false>, Count<3, false>, Count<4, false>,
        Count<5, false>, Count<6, false>, Count<7, false>, Count<8, false>},
       {nullptr, Count<1, true>, Count<2, true>, Count<3, true>, Count<4, true>, Count<5, true>,
        Count<6, true>, Count<7, true>, Count<8, true>}},
      {},
      {}};
  // Tiles of most images; the others take the longer way.
  functions.to_float[0][7] = Output<7, false, FloatSink>;
  functions.to_float[0][8] = Output<8, false, FloatSink>;
  functions.to_float[1][7] = Output<7, true, FloatSink>;
  functions.to_float[1][8] = Output<8, true, FloatSink>;
  functions.to_bits[0][7] = Output<7, false, BitSink>;
  functions.to_bits[0][8] = Output<8, false, BitSink>;
  functions.to_bits[1][7] = Output<7, true, BitSink>;
  functions.to_bits[1][8] = Output<8, true, BitSink>;
  return functions;
}

// Any core can; in-order ones have a kernel of their own before this one in the list.
Fit Suits(const Geometry& geometry, const Cpu&) {
  return geometry.filter.CountsFit16Bits() ? Fit::kSuits : Fit::kCannot;
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  neon::RunTiled(call, neon::kXnorLoops, begin, end, own);
}

}  // namespace

constexpr neon::TileFunctions neon::kXnorLoops = Functions();

const Kernel kernels::neon_xnor = {
    "neon_xnor", Isa::kNeon,       Suits, neon::PackTiles, neon::TiledWorkspace,
    1,           neon::TiledUnits, Run};

}  // namespace tfkit::bconv2d
