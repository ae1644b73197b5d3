// Nibble lookup with AVX-512: VPSHUFB looks up 4 tables, for 16 channels each.
#if !defined(__AVX512BW__)
#error "kernels/CMakeLists.txt compiles this file with -mavx512bw"
#endif

#include "kernels/kbit_conv2d/avx512_output.h"
#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/lut.h"

namespace tfkit::kbit_conv2d {
namespace {

struct FourTables {
  using Vector = __m512i;
  static constexpr int kTables = 4;

  static constexpr int Pixels(int planes) { return planes < 3 ? 4 : planes == 3 ? 3 : 2; }
  static constexpr int Blocks(int planes) { return planes == 1 ? 2 : 1; }

  static Vector Zero() { return _mm512_setzero_si512(); }
  static Vector Load(const std::uint8_t* bytes) { return _mm512_load_si512(bytes); }
  static Vector Lookup(Vector table, Vector index) { return _mm512_shuffle_epi8(table, index); }
  static Vector AddBytes(Vector a, Vector b) { return _mm512_add_epi8(a, b); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_epi16(a, b); }
  static Vector High(Vector a) { return _mm512_srli_epi16(a, 8); }
  static Vector Left(Vector a, int bits) {
    return bits == 0 ? a : _mm512_slli_epi16(a, static_cast<unsigned>(bits));
  }

  static void Store(const WordSums<FourTables>& words, bool add, std::int32_t* totals) {
    const __m512i low = _mm512_sub_epi16(words.all, _mm512_slli_epi16(words.high, 8));
    // Lanes 0 + 2 and 1 + 3 of the even channels, then of the odd ones.
    const __m512i pairs = _mm512_add_epi16(_mm512_shuffle_i64x2(low, words.high, 0x44),
                                           _mm512_shuffle_i64x2(low, words.high, 0xee));
    const __m512i sums = _mm512_add_epi16(_mm512_shuffle_i64x2(pairs, pairs, 0x08),
                                          _mm512_shuffle_i64x2(pairs, pairs, 0x0d));
    __m512i total = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(sums));
    if (add) total = _mm512_add_epi32(total, _mm512_load_si512(totals));
    _mm512_store_si512(totals, total);
  }

  // Four tables in a register. A lane's nibble, in all its bytes, meets each subset; of what is
  // left, the bits are counted.
  static void BuildTables(const std::uint32_t* word, int stride, int planes, std::uint32_t mask,
                          std::uint8_t* out) {
    const __m512i subsets =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m512i counts =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i shift[2] = {
        _mm512_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
        _mm512_setr_epi32(16, 16, 16, 16, 20, 20, 20, 20, 24, 24, 24, 24, 28, 28, 28, 28)};
    __m512i tables[2] = {Zero(), Zero()};
    for (int j = 0; j < planes; ++j) {
      const __m512i bits = _mm512_set1_epi32(static_cast<int>(word[j * stride] & mask));
      const __m512i weighted = _mm512_slli_epi16(counts, static_cast<unsigned>(j));
      for (int h = 0; h < 2; ++h) {
        const __m512i nibble = _mm512_shuffle_epi8(_mm512_srlv_epi32(bits, shift[h]), Zero());
        const __m512i set = _mm512_and_si512(nibble, subsets);
        tables[h] = _mm512_add_epi8(tables[h], _mm512_shuffle_epi8(weighted, set));
      }
    }
    _mm512_store_si512(out, tables[0]);
    _mm512_store_si512(out + kTables * kTableBytes, tables[1]);
  }
};

Fit Fits(const Geometry& geometry, const Cpu& cpu) {
  return LutCan(geometry) ? FitOnRoad(geometry, cpu, Road::kLut) : Fit::kCannot;
}

PackedFilter Pack(const Filter& filter, const std::uint32_t* stored) {
  return PackLut(filter, stored, FourTables::kTables);
}

}  // namespace

const Kernel kernels::avx512bw_lut = {
    "avx512bw_lut", Isa::kAvx512Bw,    Road::kLut, Fits, Pack, LutWorkspace, 2,
    PaddedUnits,    RunLut<FourTables>};

}  // namespace tfkit::kbit_conv2d
