// AVX2: VPMADDUBSW multiplies bytes and adds two products into 16 bits, which cannot overflow: a
// weight is at most 255 and an activation at most 15. Such pairs are added as long as they fit.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include "kernels/kbit_conv2d/avx2_output.h"
#include "kernels/kbit_conv2d/bytes_layout.h"
#include "kernels/kbit_conv2d/crossover.h"

namespace tfkit::kbit_conv2d {
namespace {

constexpr int kMostPixels = 4;  // sums of 8 registers

inline __m256i Load(const void* bytes) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(bytes));
}

// The bits of a pixel's channels as bytes.
void Unpack(const Filter& filter, const std::uint32_t* pixel, std::uint32_t last,
            std::uint8_t* out) {
  const int words = filter.PlaneWords();
  const __m256i byte_of_word = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                                  0x0202020202020202, 0x0303030303030303);
  const __m256i bit_of_byte = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ull));
  for (int w = 0; w < words; ++w) {
    const std::uint32_t mask = w + 1 == words ? last : ~0u;
    __m256i bytes = _mm256_setzero_si256();
    for (int j = 0; j < filter.activations.planes; ++j) {
      const __m256i word = _mm256_set1_epi32(static_cast<int>(pixel[j * words + w] & mask));
      const __m256i bits = _mm256_and_si256(_mm256_shuffle_epi8(word, byte_of_word), bit_of_byte);
      const __m256i set = _mm256_cmpeq_epi8(bits, bit_of_byte);
      const __m256i value = _mm256_set1_epi8(static_cast<char>(1 << j));
      bytes = _mm256_or_si256(bytes, _mm256_and_si256(set, value));
    }
    const int left = static_cast<int>(BytesPixelBytes(filter)) - w * kWordBits;
    if (left >= kWordBits) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + w * kWordBits), bytes);
    } else {
      alignas(32) std::uint8_t rest[kWordBits];
      _mm256_store_si256(reinterpret_cast<__m256i*>(rest), bytes);
      __builtin_memcpy(out + w * kWordBits, rest, left);
    }
  }
}

// `count` groups of channels of a block, to int32 counts [pixels][kBlock].
template <int kPixels>
TFKIT_ALWAYS_INLINE void Multiply(const std::uint8_t* bytes, std::ptrdiff_t pixel,
                                  const std::uint8_t* weights, std::ptrdiff_t group, int count,
                                  std::int32_t* counts) {
  __m256i pairs[kPixels][2];
  for (auto& of_pixel : pairs) of_pixel[0] = of_pixel[1] = _mm256_setzero_si256();
  for (int k = 0; k < count; ++k, bytes += kByteChannels, weights += group) {
    const __m256i weight[2] = {Load(weights), Load(weights + kHalf * kByteChannels)};
    for (int p = 0; p < kPixels; ++p) {
      std::int32_t four;
      __builtin_memcpy(&four, bytes + p * pixel, sizeof four);
      const __m256i values = _mm256_set1_epi32(four);
      for (int h = 0; h < 2; ++h) {
        pairs[p][h] = _mm256_add_epi16(pairs[p][h], _mm256_maddubs_epi16(weight[h], values));
      }
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
  for (int p = 0; p < kPixels; ++p) {
    for (int h = 0; h < 2; ++h) {
      auto* at = reinterpret_cast<__m256i*>(counts + p * kBlock + h * kHalf);
      _mm256_store_si256(
          at, _mm256_add_epi32(_mm256_load_si256(at), _mm256_madd_epi16(pairs[p][h], ones)));
    }
  }
}

template <int kPixels>
void SumTile(const Call& call, const Walk& walk, const Tile& tile) {
  if constexpr (kPixels > 1) {
    if (tile.pixels < kPixels) return SumTile<kPixels - 1>(call, walk, tile);
  }
  const Filter& filter = call.geometry.filter;
  const int most = 2 * ((1 << filter.weights.planes) - 1) * ((1 << filter.activations.planes) - 1);
  const int room = 32767 / most;
  const int blocks = (tile.channels + kBlock - 1) / kBlock;
  const std::ptrdiff_t group = std::ptrdiff_t{blocks} * kBlock * kByteChannels;
  for (int block = 0; block < blocks; ++block) {
    alignas(kAlignment) std::int32_t counts[kPixels * kBlock] = {};
    const std::uint8_t* weights = tile.weights + block * kBlock * kByteChannels;
    for (int row = 0; row < walk.rows; ++row) {
      for (int run = 0; run < walk.runs; ++run) {
        const std::uint8_t* bytes = tile.image + row * walk.row + run * walk.tap;
        for (int left = walk.taps * ByteGroups(filter); left > 0;) {
          const int count = left < room ? left : room;
          Multiply<kPixels>(bytes, walk.pixel, weights, group, count, counts);
          bytes += std::ptrdiff_t{count} * kByteChannels;
          weights += count * group;
          left -= count;
        }
      }
    }
    StoreTile<kPixels, 1>(call, tile, block, counts);
  }
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
  SumRows(call, begin, end, own, BytesPixelBytes(filter), BytesTileBytes(filter), kMostPixels,
          [&](const Tile& tile, const Walk& walk) { SumTile<kMostPixels>(call, walk, tile); });
}

}  // namespace

const Kernel kernels::avx2 = {"avx2",         Isa::kAvx2, Road::kInt8, Fits, PackBytes,
                              BytesWorkspace, 2,          PaddedUnits, Run};

}  // namespace tfkit::kbit_conv2d
