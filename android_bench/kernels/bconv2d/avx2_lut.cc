// Nibble lookup with AVX2: PSHUFB looks up 32 channels at once.
//
// Three lookups are added in a byte: nibbles of at most 12. Of such bytes two sums are kept, both
// modulo 256: the bytes, and the bytes of the 16-bit lanes shifted right by 4. With L and H the
// sums of the low and high nibbles, and odd bytes above even ones, these are
//   bytes    L1 + 16 H1 | L0 + 16 H0
//   shifted          H1 | H0 + 16 L1
// from which, first H1 and then downwards, all four can be had exactly while they are below 256.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include "kernels/bconv2d/avx2_output.h"
#include "kernels/bconv2d/nibble_lut.h"
#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kGroup = 3;                  // lookups added in a byte
constexpr int kMaxGroups = 255 / (3 * 4);  // that a sum of nibbles has room for
constexpr int kTileColumns = 2;
constexpr int kTileBlocks = 2;

// Tables of the pixels a and b, of one word each. Four words' nibbles lie in the low lane at even
// positions, in the high lane at odd ones.
inline void BuildTables(std::uint32_t a, std::uint32_t b, std::uint8_t* tables) {
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i shift = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4);
  const __m256i index = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,  //
                                         0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m256i low = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                       0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i high = _mm256_slli_epi32(low, 4);
  const auto nibbles = [&](std::uint32_t word) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(word));
    return _mm256_and_si256(_mm256_srlv_epi32(all, shift), nibble);
  };
  const __m256i of_a = nibbles(a);
  const __m256i of_b = nibbles(b);
  for (int byte = 0; byte < 4; ++byte) {
    const __m256i pick = _mm256_set1_epi8(static_cast<char>(byte));
    const __m256i differ_a = _mm256_xor_si256(_mm256_shuffle_epi8(of_a, pick), index);
    const __m256i differ_b = _mm256_xor_si256(_mm256_shuffle_epi8(of_b, pick), index);
    const __m256i table =
        _mm256_add_epi8(_mm256_shuffle_epi8(low, differ_a), _mm256_shuffle_epi8(high, differ_b));
    _mm256_store_si256(reinterpret_cast<__m256i*>(tables + byte * 2 * kTableBytes), table);
  }
}

void BuildRow(const Call& call, const LutLayout& layout, std::int64_t unit) {
  const Geometry& geometry = call.geometry;
  const int words = geometry.InputWords();
  const std::int64_t n = unit / layout.rows;
  const std::int64_t y = unit % layout.rows - geometry.y.pad_before;
  const auto row = [&](std::int64_t pixel) -> const std::uint32_t* {
    if (pixel < 0 || pixel >= geometry.y.input) return nullptr;
    const std::int64_t first = (n * geometry.y.input + pixel) * geometry.x.input;
    return call.input + first * words;
  };
  const std::uint32_t* a = row(y);
  const std::uint32_t* b = row(y + layout.pair_step);
  auto* tables = reinterpret_cast<std::uint8_t*>(call.shared) +
                 unit * layout.columns * layout.pixel_nibbles * kTableBytes;
  for (std::int64_t column = 0; column < layout.columns; ++column) {
    const std::int64_t x = column - geometry.x.pad_before;
    const bool inside = x >= 0 && x < geometry.x.input;
    for (int w = 0; w < words; ++w, tables += kNibblesPerWord * kTableBytes) {
      BuildTables(inside && a ? a[x * words + w] : 0, inside && b ? b[x * words + w] : 0, tables);
    }
  }
}

// Sums of the 32 channels of a block, for both rows: 16-bit lanes, channels 0 to 15 and 16 to 31.
struct BlockSums {
  __m256i first[2];
  __m256i second[2];
};

// Where a tile of kColumns x kBlocks finds its operands.
struct LutTile {
  const std::uint8_t* tables;  // under the first tap of the first column
  std::ptrdiff_t column;       // bytes from one output column to the next
  std::ptrdiff_t row;          // bytes from one filter row to the next
  std::ptrdiff_t tap;          // bytes from one run of tables to the next
  int rows;
  int runs;
  int nibbles;  // per run
  const std::uint8_t* weights;
  std::ptrdiff_t block;  // bytes from one block of weights to the next
};

template <int kColumns, int kBlocks>
inline void AddGroups(const LutTile& tile, const std::uint8_t* tables, const std::uint8_t* weights,
                      int groups, int rest, BlockSums (&sums)[kColumns][kBlocks]) {
  __m256i bytes[kColumns][kBlocks];
  __m256i shifted[kColumns][kBlocks];
  for (int x = 0; x < kColumns; ++x) {
    for (int v = 0; v < kBlocks; ++v) bytes[x][v] = shifted[x][v] = _mm256_setzero_si256();
  }
  const auto add = [&](int lookups) __attribute__((always_inline)) {
    __m256i sum[kColumns][kBlocks];
    for (int i = 0; i < lookups; ++i) {
      __m256i table[kColumns];
      for (int x = 0; x < kColumns; ++x) {
        table[x] = _mm256_broadcastsi128_si256(_mm_load_si128(
            reinterpret_cast<const __m128i*>(tables + x * tile.column + i * kTableBytes)));
      }
      for (int v = 0; v < kBlocks; ++v) {
        const __m256i weight = _mm256_load_si256(
            reinterpret_cast<const __m256i*>(weights + v * tile.block + i * kLutChannels));
        for (int x = 0; x < kColumns; ++x) {
          const __m256i found = _mm256_shuffle_epi8(table[x], weight);
          sum[x][v] = i == 0 ? found : _mm256_add_epi8(sum[x][v], found);
        }
      }
    }
    for (int x = 0; x < kColumns; ++x) {
      for (int v = 0; v < kBlocks; ++v) {
        bytes[x][v] = _mm256_add_epi8(bytes[x][v], sum[x][v]);
        shifted[x][v] = _mm256_add_epi8(shifted[x][v], _mm256_srli_epi16(sum[x][v], 4));
      }
    }
    tables += lookups * kTableBytes;
    weights += lookups * kLutChannels;
  };
  for (int g = 0; g < groups; ++g) add(kGroup);
  for (int i = 0; i < rest; ++i) add(1);

  const __m256i byte = _mm256_set1_epi16(0xff);
  for (int x = 0; x < kColumns; ++x) {
    for (int v = 0; v < kBlocks; ++v) {
      const __m256i r = bytes[x][v];
      const __m256i s = shifted[x][v];
      const __m256i h1 = _mm256_srli_epi16(s, 8);
      const __m256i l1 = _mm256_and_si256(
          _mm256_sub_epi16(_mm256_srli_epi16(r, 8), _mm256_slli_epi16(h1, 4)), byte);
      const __m256i h0 = _mm256_and_si256(_mm256_sub_epi16(s, _mm256_slli_epi16(l1, 4)), byte);
      const __m256i l0 = _mm256_and_si256(_mm256_sub_epi16(r, _mm256_slli_epi16(h0, 4)), byte);
      BlockSums& sum = sums[x][v];
      sum.first[0] = _mm256_add_epi16(sum.first[0], l0);
      sum.first[1] = _mm256_add_epi16(sum.first[1], l1);
      sum.second[0] = _mm256_add_epi16(sum.second[0], h0);
      sum.second[1] = _mm256_add_epi16(sum.second[1], h1);
    }
  }
}

template <int kColumns, int kBlocks>
void SumTile(const LutTile& tile, BlockSums* out) {
  BlockSums sums[kColumns][kBlocks] = {};
  const std::uint8_t* weights = tile.weights;
  for (int row = 0; row < tile.rows; ++row) {
    for (int run = 0; run < tile.runs; ++run) {
      const std::uint8_t* tables = tile.tables + row * tile.row + run * tile.tap;
      for (int left = tile.nibbles; left > 0;) {
        int groups = left / kGroup;
        int rest = left % kGroup;
        // The rest, looked up one by one, takes up to two groups' room.
        if (groups + rest > kMaxGroups) {
          groups = groups > kMaxGroups ? kMaxGroups : groups;
          rest = 0;
        }
        AddGroups<kColumns, kBlocks>(tile, tables, weights, groups, rest, sums);
        const int done = groups * kGroup + rest;
        tables += done * kTableBytes;
        weights += done * kLutChannels;
        left -= done;
      }
    }
  }
  for (int x = 0; x < kColumns; ++x) {
    for (int v = 0; v < kBlocks; ++v) out[x * kTileBlocks + v] = sums[x][v];
  }
}

// The sums of one row of a pair, doubled and corrected, to the output.
void StoreBlock(const Call& call, int oy, int ox, std::size_t pixel, int channel, int channels,
                const __m256i (&sums)[2]) {
  __m256i d[4] = {
      _mm256_cvtepu16_epi32(_mm256_castsi256_si128(sums[0])),
      _mm256_cvtepu16_epi32(_mm256_extracti128_si256(sums[0], 1)),
      _mm256_cvtepu16_epi32(_mm256_castsi256_si128(sums[1])),
      _mm256_cvtepu16_epi32(_mm256_extracti128_si256(sums[1], 1)),
  };
  for (__m256i& v : d) v = _mm256_add_epi32(v, v);
  if (call.geometry.zero_padding && TouchesPadding(call.geometry, oy, ox)) {
    std::int32_t correction[kLutChannels] = {};
    AddZeroTaps(call, oy, ox, channel, channels, correction);
    for (int v = 0; v < 4; ++v) {
      d[v] = _mm256_add_epi32(d[v], LoadInts(correction + v * kVector, kVector));
    }
  }
  StoreOutput<4>(call, pixel, channel, channels, d);
}

void RunPair(const Call& call, const LutLayout& layout, std::int64_t unit) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const std::int64_t n = unit / layout.paired_rows;
  const int oy = static_cast<int>(unit % layout.paired_rows);
  const int rows = oy + layout.paired_rows < geometry.y.output ? 2 : 1;
  const std::ptrdiff_t pixel_bytes = layout.pixel_nibbles * kTableBytes;
  const std::ptrdiff_t row_bytes = layout.columns * pixel_bytes;
  const int tap_nibbles = filter.WordsPerGroup() * kNibblesPerWord;
  const bool side_by_side = filter.groups == 1 && geometry.x.dilation == 1;

  LutTile tile;
  tile.column = geometry.x.stride * pixel_bytes;
  tile.row = geometry.y.dilation * row_bytes;
  tile.tap = geometry.x.dilation * pixel_bytes;
  tile.rows = filter.height;
  tile.runs = side_by_side ? 1 : filter.width;
  tile.nibbles = side_by_side ? filter.width * tap_nibbles : tap_nibbles;
  tile.block = std::ptrdiff_t{filter.Taps()} * tap_nibbles * kLutChannels;
  tile.weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  const std::uint8_t* row_tables = reinterpret_cast<const std::uint8_t*>(call.shared) +
                                   (n * layout.rows + oy * geometry.y.stride) * row_bytes;

  using SumFunction = void (*)(const LutTile&, BlockSums*);
  constexpr SumFunction kSum[kTileColumns][kTileBlocks] = {{SumTile<1, 1>, SumTile<1, 2>},
                                                           {SumTile<2, 1>, SumTile<2, 2>}};
  const int outputs = filter.OutputsPerGroup();
  for (int group = 0; group < filter.groups; ++group) {
    const std::uint8_t* tables = row_tables + group * tap_nibbles * kTableBytes;
    for (int first = 0; first < outputs;) {
      const int blocks = outputs - first > kLutChannels ? kTileBlocks : 1;
      for (int ox = 0; ox < geometry.x.output; ox += kTileColumns) {
        const int columns = geometry.x.output - ox >= kTileColumns ? kTileColumns : 1;
        tile.tables = tables + ox * tile.column;
        BlockSums sums[kTileColumns * kTileBlocks];
        kSum[columns - 1][blocks - 1](tile, sums);
        for (int x = 0; x < columns; ++x) {
          for (int v = 0; v < blocks; ++v) {
            const BlockSums& sum = sums[x * kTileBlocks + v];
            const int block_first = first + v * kLutChannels;
            const int left = outputs - block_first;
            const int channels = left < kLutChannels ? left : kLutChannels;
            const int channel = group * outputs + block_first;
            for (int r = 0; r < rows; ++r) {
              const int row = oy + r * layout.paired_rows;
              const std::size_t pixel =
                  (static_cast<std::size_t>(n) * geometry.y.output + row) * geometry.x.output + ox +
                  x;
              StoreBlock(call, row, ox + x, pixel, channel, channels,
                         r == 0 ? sum.first : sum.second);
            }
          }
        }
      }
      tile.weights += blocks * tile.block;
      first += blocks * kLutChannels;
    }
  }
}

Fit Fits(const Geometry& geometry, const Cpu&) { return LutFit(geometry); }

void Run(const Call& call, int stage, std::int64_t begin, std::int64_t end, std::uint64_t*) {
  const LutLayout layout = LutLayoutOf(call.geometry);
  for (std::int64_t unit = begin; unit < end; ++unit) {
    if (stage == 0) {
      BuildRow(call, layout, unit);
    } else {
      RunPair(call, layout, unit);
    }
  }
}

}  // namespace

const Kernel kernels::avx2_lut = {"avx2_lut",   Isa::kAvx2, Fits,     PackLut,
                                  LutWorkspace, 2,          LutUnits, Run};

}  // namespace tfkit::bconv2d
