// AVX-512 with VPOPCNTDQ: a word of a few pixels' planes against 64 channels is AND, POPCNT and ADD
// on whole registers.
#if !defined(__AVX512VPOPCNTDQ__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512vpopcntdq"
#endif

#include "kernels/kbit_conv2d/avx512_output.h"
#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/serial_layout.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kTileBlocks = kTileChannels / kBlock;

// Sums of up to 16 registers.
constexpr int Pixels(int planes) { return planes == 1 ? 4 : planes == 2 ? 2 : 1; }

template <int kPixels, int kBlocks, int kPlanes>
using Counts = __m512i[kPixels][kBlocks][kPlanes];

template <int kPixels, int kBlocks, int kPlanes>
TFKIT_ALWAYS_INLINE void Count(const Walk& walk, int words, const std::uint8_t* image,
                               const std::uint32_t* weights,
                               Counts<kPixels, kBlocks, kPlanes>& counts) {
  for (auto& of_pixel : counts) {
    for (auto& of_block : of_pixel) {
      for (__m512i& count : of_block) count = _mm512_setzero_si512();
    }
  }
  const std::ptrdiff_t pixel = walk.pixel / 4;
  for (int row = 0; row < walk.rows; ++row) {
    for (int run = 0; run < walk.runs; ++run) {
      const auto* word =
          reinterpret_cast<const std::uint32_t*>(image + row * walk.row + run * walk.tap);
      for (const std::uint32_t* end = word + walk.taps * words * kPlanes; word != end;
           word += kPlanes) {
        __m512i weight[kBlocks];
        for (int b = 0; b < kBlocks; ++b, weights += kBlock) {
          weight[b] = _mm512_load_si512(weights);
        }
        for (int p = 0; p < kPixels; ++p) {
          for (int j = 0; j < kPlanes; ++j) {
            const __m512i bits = _mm512_set1_epi32(static_cast<int>(word[p * pixel + j]));
            for (int b = 0; b < kBlocks; ++b) {
              const __m512i shared = _mm512_popcnt_epi32(_mm512_and_si512(bits, weight[b]));
              counts[p][b][j] = _mm512_add_epi32(counts[p][b][j], shared);
            }
          }
        }
      }
    }
  }
}

template <int kPixels, int kBlocks, int kPlanes>
void OneSum(const Call& call, const Walk& walk, const Tile& tile) {
  const Filter& filter = call.geometry.filter;
  const int words = filter.PlaneWords();
  const auto* weights = reinterpret_cast<const std::uint32_t*>(tile.weights);
  __m512i totals[kPixels][kBlocks];
  for (auto& of_pixel : totals) {
    for (__m512i& total : of_pixel) total = _mm512_setzero_si512();
  }
  for (int i = 0; i < filter.weights.planes; ++i) {
    Counts<kPixels, kBlocks, kPlanes> counts;
    Count<kPixels, kBlocks, kPlanes>(walk, words, tile.image, weights, counts);
    weights += std::size_t(filter.Taps()) * words * (kBlocks * kBlock);
    for (int p = 0; p < kPixels; ++p) {
      for (int b = 0; b < kBlocks; ++b) {
        __m512i sum = counts[p][b][0];
        for (int j = 1; j < kPlanes; ++j) {
          sum = _mm512_add_epi32(sum, _mm512_slli_epi32(counts[p][b][j], static_cast<unsigned>(j)));
        }
        if (i > 0) {
          sum = _mm512_add_epi32(totals[p][b], _mm512_slli_epi32(sum, static_cast<unsigned>(i)));
        }
        totals[p][b] = sum;
      }
    }
  }
  StoreTile<kPixels, kBlocks>(call, tile, 0, totals);
}

// Every pair of planes with a scale of its own.
template <int kPixels, int kBlocks, int kPlanes>
void Bases(const Call& call, const Walk& walk, const Tile& tile) {
  const Filter& filter = call.geometry.filter;
  const int words = filter.PlaneWords();
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const auto* weights = reinterpret_cast<const std::uint32_t*>(tile.weights);
  const float* scale = call.transform.scales + tile.channel;
  const Offsets offsets(filter);
  __m512 totals[kPixels][kBlocks];
  for (auto& of_pixel : totals) {
    for (__m512& total : of_pixel) total = _mm512_setzero_ps();
  }
  for (int i = 0; i < filter.weights.planes; ++i) {
    Counts<kPixels, kBlocks, kPlanes> counts;
    Count<kPixels, kBlocks, kPlanes>(walk, words, tile.image, weights, counts);
    weights += std::size_t(filter.Taps()) * words * (kBlocks * kBlock);
    for (int j = 0; j < kPlanes; ++j, scale += padded) {
      for (int b = 0; b < kBlocks; ++b) {
        const __m512 scales = _mm512_loadu_ps(scale + b * kBlock);
        for (int p = 0; p < kPixels; ++p) {
          const __m512 sums = _mm512_cvtepi32_ps(offsets.Sums(tile, p, b, i, j, counts[p][b][j]));
          totals[p][b] = _mm512_add_ps(totals[p][b], _mm512_mul_ps(sums, scales));
        }
      }
    }
  }
  float* out = call.Floats(tile.pixel) + tile.channel;
  for (int p = 0; p < kPixels; ++p, out += filter.channels_out) {
    for (int b = 0; b < kBlocks; ++b) {
      const __m512 bias = _mm512_loadu_ps(call.transform.bias + tile.channel + b * kBlock);
      StoreFloats(_mm512_add_ps(totals[p][b], bias), tile.channels - b * kBlock, out + b * kBlock);
    }
  }
}

template <int kPixels, int kBlocks, int kPlanes>
void SumTile(const Call& call, const Walk& walk, const Tile& tile) {
  if constexpr (kPixels > 1) {
    if (tile.pixels < kPixels) return SumTile<kPixels - 1, kBlocks, kPlanes>(call, walk, tile);
  }
  if (call.geometry.filter.bases) {
    Bases<kPixels, kBlocks, kPlanes>(call, walk, tile);
  } else {
    OneSum<kPixels, kBlocks, kPlanes>(call, walk, tile);
  }
}

template <int kPlanes>
void RunPlanes(const Call& call, int stage, std::int64_t begin, std::int64_t end,
               std::uint64_t* own) {
  const Filter& filter = call.geometry.filter;
  const std::ptrdiff_t pixel_bytes = SerialPixelBytes(filter);
  if (stage == 0) {
    const int words = filter.PlaneWords();
    RewriteRows(call, begin, end, own, pixel_bytes,
                [=](const std::uint32_t* pixel, std::uint32_t last, std::uint8_t* out) {
                  auto* to = reinterpret_cast<std::uint32_t*>(out);
                  for (int w = 0; w < words; ++w, to += kPlanes) {
                    const std::uint32_t mask = w + 1 == words ? last : ~0u;
                    for (int j = 0; j < kPlanes; ++j) to[j] = pixel[j * words + w] & mask;
                  }
                });
    return;
  }
  constexpr int kPixels = Pixels(kPlanes);
  using Sum = void (*)(const Call&, const Walk&, const Tile&);
  static_assert(kTileBlocks == 4);
  constexpr Sum kSums[kTileBlocks] = {SumTile<kPixels, 1, kPlanes>, SumTile<kPixels, 2, kPlanes>,
                                      SumTile<kPixels, 3, kPlanes>, SumTile<kPixels, 4, kPlanes>};
  SumRows(call, begin, end, own, pixel_bytes, SerialTileBytes(filter), kPixels,
          [&](const Tile& tile, const Walk& walk) {
            kSums[(tile.channels - 1) / kBlock](call, walk, tile);
          });
}

Fit Fits(const Geometry& geometry, const Cpu& cpu) {
  const Fit fit = PaddedFit(geometry, SerialPixelBytes(geometry.filter));
  return fit == Fit::kSuits ? FitOnRoad(geometry, cpu, Road::kBitSerial) : fit;
}

void Run(const Call& call, int stage, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  switch (call.geometry.filter.activations.planes) {
    case 1:
      return RunPlanes<1>(call, stage, begin, end, own);
    case 2:
      return RunPlanes<2>(call, stage, begin, end, own);
    case 3:
      return RunPlanes<3>(call, stage, begin, end, own);
    case 4:
      return RunPlanes<4>(call, stage, begin, end, own);
  }
}

}  // namespace

const Kernel kernels::avx512vpopcntdq = {"avx512vpopcntdq",
                                         Isa::kAvx512Vpopcntdq,
                                         Road::kBitSerial,
                                         Fits,
                                         PackSerial,
                                         SerialWorkspace,
                                         2,
                                         PaddedUnits,
                                         Run};

}  // namespace tfkit::kbit_conv2d
