// AVX2 has no popcount: a table of the nibbles' counts, looked up with PSHUFB, counts a register's
// bytes, which are added up as long as they fit (Mula's algorithm).
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include "kernels/bconv2d/avx2_output.h"
#include "kernels/bconv2d/direct.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kTileVectors = 2;
constexpr int kTilePixels = 4;
constexpr int kMaxWords = 255 / 8;  // that a byte can count

inline __m256i CountBytes(__m256i bits) {
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low = _mm256_and_si256(bits, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi32(bits, 4), nibble);
  return _mm256_add_epi8(_mm256_shuffle_epi8(counts, low), _mm256_shuffle_epi8(counts, high));
}

// The four unsigned bytes of each lane added up.
inline __m256i AddBytes(__m256i bytes) {
  const __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

template <int kPixels>
inline void Count(const BandLayout& layout, const std::uint32_t* band, const std::uint32_t* weights,
                  __m256i (&sums)[kPixels][kTileVectors]) {
  __m256i bytes[kPixels][kTileVectors];
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kTileVectors; ++v) {
      sums[p][v] = _mm256_setzero_si256();
      bytes[p][v] = _mm256_setzero_si256();
    }
  }
  const auto flush = [&]() {
    for (int p = 0; p < kPixels; ++p) {
      for (int v = 0; v < kTileVectors; ++v) {
        sums[p][v] = _mm256_add_epi32(sums[p][v], AddBytes(bytes[p][v]));
        bytes[p][v] = _mm256_setzero_si256();
      }
    }
  };
  int room = kMaxWords;
  for (int row = 0; row < layout.rows; ++row) {
    for (int run = 0; run < layout.runs; ++run) {
      const std::uint32_t* word = band + row * layout.row + run * layout.tap;
      for (int left = layout.words; left > 0;) {
        const int count = left < room ? left : room;
        for (const std::uint32_t* end = word + count; word != end; ++word) {
          __m256i weight[kTileVectors];
          for (int v = 0; v < kTileVectors; ++v, weights += kVector) {
            weight[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(weights));
          }
          for (int p = 0; p < kPixels; ++p) {
            const __m256i pixel = _mm256_set1_epi32(static_cast<int>(word[p * layout.pixel]));
            for (int v = 0; v < kTileVectors; ++v) {
              const __m256i differing = _mm256_xor_si256(pixel, weight[v]);
              bytes[p][v] = _mm256_add_epi8(bytes[p][v], CountBytes(differing));
            }
          }
        }
        left -= count;
        room -= count;
        if (room == 0) {
          flush();
          room = kMaxWords;
        }
      }
    }
  }
  flush();
}

// The pixels from `first` of the strip on.
template <int kPixels>
inline void Tile(const Call& call, const BandLayout& layout, const DirectStrip& strip, int first) {
  __m256i d[kPixels][kTileVectors];
  Count<kPixels>(layout, strip.band + first * layout.pixel, strip.weights, d);
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kTileVectors; ++v) d[p][v] = _mm256_add_epi32(d[p][v], d[p][v]);
    if (strip.correction) {
      const std::int32_t* correction = strip.correction + (first + p) * kTileVectors * kVector;
      for (int v = 0; v < kTileVectors; ++v) {
        d[p][v] = _mm256_add_epi32(d[p][v], LoadInts(correction + v * kVector, kVector));
      }
    }
    if (strip.d) {
      std::int32_t* out = strip.d + std::ptrdiff_t{first + p} * call.geometry.filter.channels_out;
      for (int v = 0, left = strip.channels; v < kTileVectors; ++v, left -= kVector) {
        StoreInts(out + v * kVector, d[p][v], left);
      }
    } else {
      StoreOutput<kTileVectors>(call, strip.pixel + first + p, strip.channel, strip.channels, d[p]);
    }
  }
}

void RunStrip(const Call& call, const BandLayout& layout, const DirectStrip& strip) {
  int first = 0;
  for (; strip.pixels - first >= kTilePixels; first += kTilePixels) {
    Tile<kTilePixels>(call, layout, strip, first);
  }
  switch (strip.pixels - first) {
    case 1:
      return Tile<1>(call, layout, strip, first);
    case 2:
      return Tile<2>(call, layout, strip, first);
    case 3:
      return Tile<3>(call, layout, strip, first);
  }
}

constexpr DirectKernel kDirect = {kTileVectors * kVector, kTileVectors * kVector, kTilePixels,
                                  RunStrip};

Fit Fits(const Geometry& geometry, const Cpu&) { return DirectFit(geometry); }

PackedFilter Pack(const Filter& filter, const std::uint32_t* source) {
  return PackDirect(kDirect, filter, source);
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  RunDirect(kDirect, call, begin, end, own);
}

}  // namespace

const Kernel kernels::avx2 = {"avx2", Isa::kAvx2, Fits, Pack, DirectWorkspace, 1, DirectUnits, Run};

}  // namespace tfkit::bconv2d
