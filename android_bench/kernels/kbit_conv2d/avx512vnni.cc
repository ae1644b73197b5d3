// AVX-512 with VNNI: VPDPBUSD adds 4 products of bytes to each of 16 channels' sums.
#if !defined(__AVX512VNNI__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512vnni"
#endif

#include "kernels/kbit_conv2d/avx512_output.h"
#include "kernels/kbit_conv2d/bytes_layout.h"
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kTileBlocks = kTileChannels / kBlock;
constexpr int kMostPixels = 6;  // sums of 24 registers

// The bits of a pixel's channels as bytes.
TFKIT_ALWAYS_INLINE void Unpack(const Filter& filter, const std::uint32_t* pixel,
                                std::uint32_t last, std::uint8_t* out) {
  const int words = filter.PlaneWords();
  int w = 0;
  // Two words at a time where the last one is another or full.
  for (; w + 2 <= words && (w + 2 < words || last == ~0u); w += 2) {
    __m512i bytes = _mm512_setzero_si512();
    for (int j = 0; j < filter.activations.planes; ++j) {
      std::uint64_t set;
      __builtin_memcpy(&set, pixel + j * words + w, sizeof set);
      const __m512i bit = _mm512_set1_epi8(static_cast<char>(1 << j));
      bytes = _mm512_mask_add_epi8(bytes, set, bytes, bit);
    }
    _mm512_storeu_si512(out + w * kWordBits, bytes);
  }
  for (; w < words; ++w) {
    const std::uint32_t mask = w + 1 == words ? last : ~0u;
    __m256i bytes = _mm256_setzero_si256();
    for (int j = 0; j < filter.activations.planes; ++j) {
      const __m256i bit = _mm256_set1_epi8(static_cast<char>(1 << j));
      bytes = _mm256_mask_add_epi8(bytes, pixel[j * words + w] & mask, bytes, bit);
    }
    const int left = static_cast<int>(BytesPixelBytes(filter)) - w * kWordBits;
    // Zen 4 takes its time for masks.
    if (left >= kWordBits) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + w * kWordBits), bytes);
    } else {
      _mm256_mask_storeu_epi8(out + w * kWordBits, (1u << left) - 1, bytes);
    }
  }
}

template <int kPixels, int kBlocks>
TFKIT_ALWAYS_INLINE void Multiply(const Walk& walk, int groups, const Tile& tile,
                                  __m512i (&sums)[kPixels][kBlocks]) {
  const std::uint8_t* weights = tile.weights;
  for (int row = 0; row < walk.rows; ++row) {
    for (int run = 0; run < walk.runs; ++run) {
      const std::uint8_t* bytes = tile.image + row * walk.row + run * walk.tap;
      for (int k = walk.taps * groups; k > 0; --k, bytes += kByteChannels) {
        __m512i weight[kBlocks];
        for (int b = 0; b < kBlocks; ++b, weights += kBlock * kByteChannels) {
          weight[b] = _mm512_load_si512(weights);
        }
        for (int p = 0; p < kPixels; ++p) {
          std::int32_t four;
          __builtin_memcpy(&four, bytes + p * walk.pixel, sizeof four);
          const __m512i values = _mm512_set1_epi32(four);
          for (int b = 0; b < kBlocks; ++b) {
            sums[p][b] = _mm512_dpbusd_epi32(sums[p][b], weight[b], values);
          }
        }
      }
    }
  }
}

template <int kPixels, int kBlocks>
void SumTile(const Call& call, const Walk& walk, const Tile& tile) {
  if constexpr (kPixels > 1) {
    if (tile.pixels < kPixels) return SumTile<kPixels - 1, kBlocks>(call, walk, tile);
  }
  __m512i sums[kPixels][kBlocks];
  for (auto& of_pixel : sums) {
    for (__m512i& sum : of_pixel) sum = _mm512_setzero_si512();
  }
  Multiply<kPixels, kBlocks>(walk, ByteGroups(call.geometry.filter), tile, sums);
  StoreTile<kPixels, kBlocks>(call, tile, 0, sums);
}

Fit Fits(const Geometry& geometry, const Cpu& cpu) {
  return BytesCan(geometry) ? FitOnRoad(geometry, cpu, Road::kInt8) : Fit::kCannot;
}

void Run(const Call& call, int stage, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Filter& filter = call.geometry.filter;
  if (stage == 0) {
    RewriteRows(call, begin, end, own, BytesPixelBytes(filter),
                [&](const std::uint32_t* pixel, std::uint32_t last, std::uint8_t* out) {
                  Unpack(filter, pixel, last, out);
                });
    return;
  }
  using Sum = void (*)(const Call&, const Walk&, const Tile&);
  static_assert(kTileBlocks == 4);
  constexpr Sum kSums[kTileBlocks] = {SumTile<kMostPixels, 1>, SumTile<kMostPixels, 2>,
                                      SumTile<kMostPixels, 3>, SumTile<kMostPixels, 4>};
  SumRows(call, begin, end, own, BytesPixelBytes(filter), BytesTileBytes(filter), kMostPixels,
          [&](const Tile& tile, const Walk& walk) {
            kSums[(tile.channels - 1) / kBlock](call, walk, tile);
          });
}

}  // namespace

const Kernel kernels::avx512vnni = {"avx512vnni", Isa::kAvx512Vnni, Road::kInt8, Fits,
                                    PackBytes,    BytesWorkspace,   2,           PaddedUnits,
                                    Run};

}  // namespace tfkit::kbit_conv2d
