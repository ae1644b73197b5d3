// Nibble lookup with AVX2: PSHUFB looks up 2 tables, for 16 channels each.
#if !defined(__AVX2__)
#error "kernels/CMakeLists.txt compiles this file with -mavx2"
#endif

#include "kernels/kbit_conv2d/avx2_output.h"
#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/lut.h"

namespace tfkit::kbit_conv2d {
namespace {

struct TwoTables {
  using Vector = __m256i;
  static constexpr int kTables = 2;

  static constexpr int Pixels(int planes) { return planes == 1 ? 4 : planes == 2 ? 3 : 2; }
  static constexpr int Blocks(int) { return 1; }

  static Vector Zero() { return _mm256_setzero_si256(); }
  static Vector Load(const std::uint8_t* bytes) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
  }
  static Vector Lookup(Vector table, Vector index) { return _mm256_shuffle_epi8(table, index); }
  static Vector AddBytes(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_epi16(a, b); }
  static Vector High(Vector a) { return _mm256_srli_epi16(a, 8); }
  static Vector Left(Vector a, int bits) { return bits == 0 ? a : _mm256_slli_epi16(a, bits); }

  static void Store(const WordSums<TwoTables>& words, bool add, std::int32_t* totals) {
    const __m256i low = _mm256_sub_epi16(words.all, _mm256_slli_epi16(words.high, 8));
    // Both lanes of the even channels, then of the odd ones.
    const __m256i sums = _mm256_add_epi16(_mm256_permute2x128_si256(low, words.high, 0x20),
                                          _mm256_permute2x128_si256(low, words.high, 0x31));
    const __m128i parts[2] = {_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1)};
    for (int v = 0; v < 2; ++v) {
      auto* at = reinterpret_cast<__m256i*>(totals + v * kHalf);
      __m256i total = _mm256_cvtepu16_epi32(parts[v]);
      if (add) total = _mm256_add_epi32(total, _mm256_load_si256(at));
      _mm256_store_si256(at, total);
    }
  }

  // Two tables in a register. A lane's nibble, in all its bytes, meets each subset; of what is
  // left, the bits are counted.
  static void BuildTables(const std::uint32_t* word, int stride, int planes, std::uint32_t mask,
                          std::uint8_t* out) {
    const __m256i subsets = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m256i counts =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    __m256i shift = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4);
    __m256i tables[4] = {Zero(), Zero(), Zero(), Zero()};
    for (int h = 0; h < 4; ++h, shift = _mm256_add_epi32(shift, _mm256_set1_epi32(8))) {
      for (int j = 0; j < planes; ++j) {
        const __m256i bits = _mm256_set1_epi32(static_cast<int>(word[j * stride] & mask));
        const __m256i nibble = _mm256_shuffle_epi8(_mm256_srlv_epi32(bits, shift), Zero());
        const __m256i set = _mm256_and_si256(nibble, subsets);
        const __m256i weighted = _mm256_slli_epi16(counts, j);
        tables[h] = _mm256_add_epi8(tables[h], _mm256_shuffle_epi8(weighted, set));
      }
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + h * kTables * kTableBytes), tables[h]);
    }
  }
};

Fit Fits(const Geometry& geometry, const Cpu& cpu) {
  return LutCan(geometry) ? FitOnRoad(geometry, cpu, Road::kLut) : Fit::kCannot;
}

PackedFilter Pack(const Filter& filter, const std::uint32_t* stored) {
  return PackLut(filter, stored, TwoTables::kTables);
}

}  // namespace

const Kernel kernels::avx2_lut = {"avx2_lut", Isa::kAvx2,  Road::kLut,
                                  Fits,       Pack,        LutWorkspace,
                                  2,          PaddedUnits, RunLut<TwoTables>};

}  // namespace tfkit::kbit_conv2d
