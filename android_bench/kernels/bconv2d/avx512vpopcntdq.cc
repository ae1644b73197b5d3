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
inline void Count(const BandLayout& layout, const DirectTile& tile,
                  __m512i (&sums)[kPixels][kVectors]) {
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kVectors; ++v) sums[p][v] = _mm512_setzero_si512();
  }
  const std::uint32_t* weights = tile.weights;
  for (int row = 0; row < layout.rows; ++row) {
    for (int run = 0; run < layout.runs; ++run) {
      const std::uint32_t* word = tile.band + row * layout.row + run * layout.tap;
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

// d of all channels of one pixel of the tile, to the output.
template <int kVectors>
inline void Store(const Call& call, const DirectTile& tile, int p, const __m512i (&d)[kVectors]) {
  const OutputTransform& transform = call.transform;
  const std::size_t pixel = tile.pixel + p;
  const std::size_t channels_out = call.geometry.filter.channels_out;
  if (tile.d) {
    for (int v = 0; v < kVectors; ++v) {
      _mm512_mask_storeu_epi32(tile.d + p * channels_out + v * kVector,
                               LaneMask(tile.channels - v * kVector), d[v]);
    }
    return;
  }
  const std::size_t first = pixel * channels_out + tile.channel;
  switch (transform.type) {
    case OutputType::kFloat:
      for (int v = 0; v < kVectors; ++v) {
        StoreFloats(transform, d[v], tile.channel + v * kVector,
                    LaneMask(tile.channels - v * kVector),
                    static_cast<float*>(call.output) + first + v * kVector);
      }
      break;
    case OutputType::kInt8:
      for (int v = 0; v < kVectors; ++v) {
        StoreInt8s(transform, d[v], tile.channel + v * kVector,
                   LaneMask(tile.channels - v * kVector),
                   static_cast<std::int8_t*>(call.output) + first + v * kVector);
      }
      break;
    case OutputType::kBitpacked: {
      auto* words = static_cast<std::uint32_t*>(call.output) +
                    pixel * PackedWords(call.geometry.filter.channels_out) +
                    tile.channel / kWordBits;
      for (int v = 0; v < kVectors; v += 2) {
        std::uint32_t word = Bits(transform, d[v], tile.channel + v * kVector,
                                  LaneMask(tile.channels - v * kVector));
        if (v + 1 < kVectors) {
          word |= Bits(transform, d[v + 1], tile.channel + (v + 1) * kVector,
                       LaneMask(tile.channels - (v + 1) * kVector))
                  << kVector;
        }
        words[v / 2] = word;
      }
      break;
    }
  }
}

template <int kPixels, int kVectors>
void Tile(const Call& call, const BandLayout& layout, const DirectTile& tile) {
  __m512i d[kPixels][kVectors];
  Count<kPixels, kVectors>(layout, tile, d);
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kVectors; ++v) d[p][v] = _mm512_add_epi32(d[p][v], d[p][v]);
    if (tile.correction) {
      const std::int32_t* correction = tile.correction + p * kTileVectors * kVector;
      for (int v = 0; v < kVectors; ++v) {
        d[p][v] = _mm512_add_epi32(d[p][v], _mm512_loadu_si512(correction + v * kVector));
      }
    }
    Store<kVectors>(call, tile, p, d[p]);
  }
}

using TileFunction = void (*)(const Call&, const BandLayout&, const DirectTile&);

// [pixels - 1][vectors - 1]
constexpr TileFunction kTiles[kTilePixels][kTileVectors] = {
    {Tile<1, 1>, Tile<1, 2>, Tile<1, 3>, Tile<1, 4>},
    {Tile<2, 1>, Tile<2, 2>, Tile<2, 3>, Tile<2, 4>},
    {Tile<3, 1>, Tile<3, 2>, Tile<3, 3>, Tile<3, 4>},
    {Tile<4, 1>, Tile<4, 2>, Tile<4, 3>, Tile<4, 4>},
};

void RunTile(const Call& call, const BandLayout& layout, const DirectTile& tile) {
  kTiles[tile.pixels - 1][(tile.channels - 1) / kVector](call, layout, tile);
}

constexpr DirectKernel kDirect = {kVector, kTileVectors * kVector, kTilePixels, RunTile};

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
