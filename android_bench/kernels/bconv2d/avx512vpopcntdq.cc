// AVX-512 with VPOPCNTDQ: a word of 4 pixels against 64 channels is 16 times XOR, POPCNT, ADD on
// whole registers, with 8 loads.
#if !defined(__AVX512VPOPCNTDQ__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512vpopcntdq"
#endif

#include "kernels/bconv2d/avx512_output.h"
#include "kernels/bconv2d/direct.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kTileVectors = 4;
constexpr int kTilePixels = 4;

template <int kPixels, int kVectors>
inline void Count(const BandLayout& layout, const std::uint32_t* band, const std::uint32_t* weights,
                  __m512i (&sums)[kPixels][kVectors]) {
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kVectors; ++v) sums[p][v] = _mm512_setzero_si512();
  }
  for (int row = 0; row < layout.rows; ++row) {
    for (int run = 0; run < layout.runs; ++run) {
      const std::uint32_t* word = band + row * layout.row + run * layout.tap;
      for (const std::uint32_t* end = word + layout.words; word != end; ++word) {
        __m512i weight[kVectors];
        for (int v = 0; v < kVectors; ++v, weights += kVector) {
          weight[v] = _mm512_load_si512(weights);
        }
        for (int p = 0; p < kPixels; ++p) {
          const __m512i pixel = _mm512_set1_epi32(static_cast<int>(word[p * layout.pixel]));
          for (int v = 0; v < kVectors; ++v) {
            const __m512i differing = _mm512_popcnt_epi32(_mm512_xor_si512(pixel, weight[v]));
            sums[p][v] = _mm512_add_epi32(sums[p][v], differing);
          }
        }
      }
    }
  }
}

// The sums of the pixels from `first` of the strip on, to the output. Channels come first, so that
// their parameters are loaded once.
template <int kPixels, int kVectors>
inline void Store(const Call& call, const DirectStrip& strip, int first,
                  const __m512i (&sums)[kPixels][kVectors]) {
  const OutputTransform& transform = call.transform;
  const std::size_t channels_out = call.geometry.filter.channels_out;
  const auto d = [&](int p, int v) {
    const __m512i doubled = _mm512_add_epi32(sums[p][v], sums[p][v]);
    if (!strip.correction) return doubled;
    const std::int32_t* correction = strip.correction + (first + p) * kTileVectors * kVector;
    return _mm512_add_epi32(doubled, _mm512_loadu_si512(correction + v * kVector));
  };
  const auto lanes = [&](int v) { return LaneMask(strip.channels - v * kVector); };
  const std::size_t pixel = strip.pixel + first;
  const std::size_t output = pixel * channels_out + strip.channel;
  if (strip.d) {
    for (int p = 0; p < kPixels; ++p) {
      std::int32_t* out = strip.d + (first + p) * channels_out;
      for (int v = 0; v < kVectors; ++v) {
        _mm512_mask_storeu_epi32(out + v * kVector, lanes(v), d(p, v));
      }
    }
    return;
  }
  switch (transform.type) {
    case OutputType::kFloat: {
      float* out = static_cast<float*>(call.output) + output;
      for (int v = 0; v < kVectors; ++v) {
        const LinearLanes linear(transform, strip.channel + v * kVector, lanes(v));
        for (int p = 0; p < kPixels; ++p) {
          StoreFloats(Linear(transform, d(p, v), linear), lanes(v),
                      out + p * channels_out + v * kVector);
        }
      }
      break;
    }
    case OutputType::kInt8: {
      std::int8_t* out = static_cast<std::int8_t*>(call.output) + output;
      for (int v = 0; v < kVectors; ++v) {
        const LinearLanes linear(transform, strip.channel + v * kVector, lanes(v));
        for (int p = 0; p < kPixels; ++p) {
          StoreInt8s(Linear(transform, d(p, v), linear), lanes(v),
                     out + p * channels_out + v * kVector);
        }
      }
      break;
    }
    case OutputType::kBitpacked: {
      std::uint32_t words[kPixels][(kVectors + 1) / 2] = {};
      for (int v = 0; v < kVectors; ++v) {
        const __m512i threshold =
            _mm512_maskz_loadu_epi32(lanes(v), transform.threshold + strip.channel + v * kVector);
        for (int p = 0; p < kPixels; ++p) {
          const __m512i half = strip.correction ? _mm512_srai_epi32(d(p, v), 1) : sums[p][v];
          const std::uint32_t bits = _mm512_mask_cmpgt_epi32_mask(lanes(v), half, threshold);
          words[p][v / 2] |= bits << (v % 2 * kVector);
        }
      }
      const std::size_t words_out = PackedWords(call.geometry.filter.channels_out);
      auto* out =
          static_cast<std::uint32_t*>(call.output) + pixel * words_out + strip.channel / kWordBits;
      for (int p = 0; p < kPixels; ++p) {
        for (int w = 0; w < (kVectors + 1) / 2; ++w) out[p * words_out + w] = words[p][w];
      }
      break;
    }
  }
}

// Four times as many bytes are written as floats than read: the lines are asked for while the tile
// is counted.
template <int kPixels, int kVectors>
inline void PrefetchFloats(const Call& call, const DirectStrip& strip, int first) {
  const std::size_t channels_out = call.geometry.filter.channels_out;
  const float* out =
      static_cast<const float*>(call.output) + (strip.pixel + first) * channels_out + strip.channel;
  for (int p = 0; p < kPixels; ++p, out += channels_out) {
    for (int v = 0; v < kVectors; ++v) __builtin_prefetch(out + v * kVector, 1);
  }
}

// The pixels from `first` of the strip on.
template <int kPixels, int kVectors>
inline void Tile(const Call& call, const BandLayout& layout, const DirectStrip& strip, int first) {
  if (call.transform.type == OutputType::kFloat) {
    PrefetchFloats<kPixels, kVectors>(call, strip, first);
  }
  __m512i sums[kPixels][kVectors];
  Count<kPixels, kVectors>(layout, strip.band + first * layout.pixel, strip.weights, sums);
  Store<kPixels, kVectors>(call, strip, first, sums);
}

template <int kVectors>
void Strip(const Call& call, const BandLayout& layout, const DirectStrip& strip) {
  int first = 0;
  for (; strip.pixels - first >= kTilePixels; first += kTilePixels) {
    Tile<kTilePixels, kVectors>(call, layout, strip, first);
  }
  switch (strip.pixels - first) {
    case 1:
      return Tile<1, kVectors>(call, layout, strip, first);
    case 2:
      return Tile<2, kVectors>(call, layout, strip, first);
    case 3:
      return Tile<3, kVectors>(call, layout, strip, first);
  }
}

void RunStrip(const Call& call, const BandLayout& layout, const DirectStrip& strip) {
  using StripFunction = void (*)(const Call&, const BandLayout&, const DirectStrip&);
  constexpr StripFunction kStrips[kTileVectors] = {Strip<1>, Strip<2>, Strip<3>, Strip<4>};
  kStrips[(strip.channels - 1) / kVector](call, layout, strip);
}

constexpr DirectKernel kDirect = {kVector, kTileVectors * kVector, kTilePixels, RunStrip};

Fit Fits(const Geometry& geometry, const Cpu&) { return DirectFit(geometry); }

PackedFilter Pack(const Filter& filter, const std::uint32_t* source) {
  return PackDirect(kDirect, filter, source);
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  RunDirect(kDirect, call, begin, end, own);
}

}  // namespace

const Kernel kernels::avx512vpopcntdq = {
    "avx512vpopcntdq", Isa::kAvx512Vpopcntdq, Fits, Pack, DirectWorkspace, 1, DirectUnits, Run};

}  // namespace tfkit::bconv2d
