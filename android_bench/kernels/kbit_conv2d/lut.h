// The lookups of `lut_layout.h` around a register's shuffle. Included by one file per instruction
// set, hence the unnamed namespace. `Isa` has
//   Vector, kTables               a register, and so many tables in it
//   Pixels, Blocks(weight planes) of a tile, as many as there are registers for its sums
//   Load, Lookup, AddBytes, Add, High, Left
//                                 as their names say; the last three on 16-bit lanes
//   Store(words, add, totals)     the sums of all lanes, to int32 totals [kBlock] or on top of them
//   BuildTables                   of the 32 channels of a word
//
// Looked-up bytes are added as long as they fit a byte, then to two sums of 16 bits: the bytes as
// they are, modulo 2^16, and their upper halves. Of weight plane i both are shifted left by i.
#pragma once

#include "kernels/kbit_conv2d/lut_layout.h"

namespace tfkit::kbit_conv2d {
namespace {

// Lookups of which the bytes are added at a time; every tap has a multiple of them.
constexpr int kLookups = 2;

// Of an even number of lookups of so many activation planes the sum fits a byte.
TFKIT_ALWAYS_INLINE constexpr int ByteGroup(int planes) {
  return 255 / MostOfTable(planes) / kLookups * kLookups;
}
static_assert(ByteGroup(kMaxActivationPlanes) == 2 * kLookups);

template <typename Isa>
struct WordSums {
  typename Isa::Vector all;
  typename Isa::Vector high;
};

// The sums of a tile. `group` lookups fit a byte; kFew: two times kLookups.
template <typename Isa, int kPixels, int kBlocks, int kPlanes, bool kFew>
struct LutTile {
  using Vector = typename Isa::Vector;

  const std::uint8_t* weights;
  std::ptrdiff_t pixel;  // bytes from one output pixel's tables to the next
  std::ptrdiff_t block;  // bytes from one block's weights to the next
  Vector bytes[kPixels][kBlocks][kPlanes];
  WordSums<Isa> words[kPixels][kBlocks];
  int group;
  int room;  // for lookups in the bytes

  TFKIT_ALWAYS_INLINE void ClearBytes() {
    for (auto& of_pixel : bytes) {
      for (auto& of_block : of_pixel) {
        for (Vector& sum : of_block) sum = Isa::Zero();
      }
    }
  }

  TFKIT_ALWAYS_INLINE void ClearWords() {
    for (auto& of_pixel : words) {
      for (WordSums<Isa>& sums : of_pixel) sums.all = sums.high = Isa::Zero();
    }
  }

  // On top of the bytes, or in place of them.
  template <bool kFirst>
  TFKIT_ALWAYS_INLINE void Look(const std::uint8_t* tables) {
    for (int k = 0; k < kLookups; ++k, tables += Isa::kTables * kTableBytes) {
      Vector index[kBlocks][kPlanes];
      for (int b = 0; b < kBlocks; ++b) {
        for (int i = 0; i < kPlanes; ++i) {
          index[b][i] = Isa::Load(weights + b * block + i * Isa::kTables * kTableBytes);
        }
      }
      weights += kPlanes * Isa::kTables * kTableBytes;
      for (int p = 0; p < kPixels; ++p) {
        const Vector table = Isa::Load(tables + p * pixel);
        for (int b = 0; b < kBlocks; ++b) {
          for (int i = 0; i < kPlanes; ++i) {
            const Vector found = Isa::Lookup(table, index[b][i]);
            Vector& sum = bytes[p][b][i];
            sum = kFirst && k == 0 ? found : Isa::AddBytes(sum, found);
          }
        }
      }
    }
  }

  TFKIT_ALWAYS_INLINE void AddWords() {
    for (int p = 0; p < kPixels; ++p) {
      for (int b = 0; b < kBlocks; ++b) {
        for (int i = 0; i < kPlanes; ++i) {
          const Vector sum = bytes[p][b][i];
          words[p][b].all = Isa::Add(words[p][b].all, Isa::Left(sum, i));
          words[p][b].high = Isa::Add(words[p][b].high, Isa::Left(Isa::High(sum), i));
        }
      }
    }
  }

  // A number of neighbouring lookups.
  TFKIT_ALWAYS_INLINE void Run(const std::uint8_t* tables, int lookups) {
    constexpr std::ptrdiff_t kStep = kLookups * Isa::kTables * kTableBytes;
    if constexpr (kFew) {
      constexpr int kGroup = 2 * kLookups;
      for (; lookups >= kGroup && room == kGroup; lookups -= kGroup, tables += 2 * kStep) {
        Look<true>(tables);
        Look<false>(tables + kStep);
        AddWords();
      }
      if (lookups == 0) return;
      if (room == kGroup) ClearBytes();
    }
    while (lookups > 0) {
      const int count = lookups < room ? lookups : room;
      for (int k = 0; k < count; k += kLookups, tables += kStep) Look<false>(tables);
      lookups -= count;
      room -= count;
      if (room != 0) continue;
      AddWords();
      ClearBytes();
      room = group;
    }
  }

  TFKIT_ALWAYS_INLINE void Store(bool add, std::int32_t* totals) const {
    for (int p = 0; p < kPixels; ++p) {
      for (int b = 0; b < kBlocks; ++b, totals += kBlock) Isa::Store(words[p][b], add, totals);
    }
  }
};

// [pixels][blocks][kBlock].
template <typename Isa, int kPixels, int kBlocks, int kPlanes, bool kFew>
void SumBlocks(const Walk& walk, const Filter& filter, const std::uint8_t* image,
               const std::uint8_t* weights, std::int32_t* totals) {
  const int lookups = walk.taps * filter.PlaneWords() * (kNibblesPerWord / Isa::kTables);
  // So many lookups of all lanes fit 16 bits.
  const int most = MostOfTable(filter.activations.planes) * ((1 << kPlanes) - 1) * Isa::kTables;
  const int room = 65535 / most / kLookups * kLookups;
  LutTile<Isa, kPixels, kBlocks, kPlanes, kFew> tile;
  const int group = ByteGroup(filter.activations.planes);
  tile.group = tile.room = group;
  tile.weights = weights;
  tile.pixel = walk.pixel;
  tile.block = static_cast<std::ptrdiff_t>(LutBlockBytes(filter));
  tile.ClearBytes();
  tile.ClearWords();
  bool stored = false;
  int word_room = room;
  for (int row = 0; row < walk.rows; ++row) {
    for (int run = 0; run < walk.runs; ++run) {
      const std::uint8_t* tables = image + row * walk.row + run * walk.tap;
      for (int left = lookups; left > 0;) {
        const int count = left < word_room ? left : word_room;
        tile.Run(tables, count);
        tables += std::ptrdiff_t{count} * (Isa::kTables * kTableBytes);
        left -= count;
        word_room -= count;
        if (word_room != 0) continue;
        if (tile.room != group) tile.AddWords();
        tile.ClearBytes();
        tile.room = group;
        tile.Store(stored, totals);
        tile.ClearWords();
        stored = true;
        word_room = room;
      }
    }
  }
  if (tile.room != group) tile.AddWords();
  tile.Store(stored, totals);
}

template <typename Isa, int kPixels, int kBlocks, int kPlanes, bool kFew>
TFKIT_ALWAYS_INLINE void SumAndStore(const Call& call, const Walk& walk, const Tile& tile,
                                     int block) {
  const Filter& filter = call.geometry.filter;
  alignas(kAlignment) std::int32_t totals[kPixels * kBlocks * kBlock];
  SumBlocks<Isa, kPixels, kBlocks, kPlanes, kFew>(
      walk, filter, tile.image, tile.weights + block * LutBlockBytes(filter), totals);
  StoreTile<kPixels, kBlocks>(call, tile, block, totals);
}

template <typename Isa, int kPixels, int kPlanes, bool kFew>
void SumTile(const Call& call, const Walk& walk, const Tile& tile) {
  if constexpr (kPixels > 1) {
    if (tile.pixels < kPixels) return SumTile<Isa, kPixels - 1, kPlanes, kFew>(call, walk, tile);
  }
  constexpr int kBlocks = Isa::Blocks(kPlanes);
  const int blocks = (tile.channels + kBlock - 1) / kBlock;
  int block = 0;
  for (; block + kBlocks <= blocks; block += kBlocks) {
    SumAndStore<Isa, kPixels, kBlocks, kPlanes, kFew>(call, walk, tile, block);
  }
  for (; block < blocks; ++block) {
    SumAndStore<Isa, kPixels, 1, kPlanes, kFew>(call, walk, tile, block);
  }
}

template <typename Isa, int kPlanes>
void SumLutRows(const Call& call, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  constexpr int kPixels = Isa::Pixels(kPlanes);
  static_assert(kPixels <= kMaxTilePixels);
  const Filter& filter = call.geometry.filter;
  using Sum = void (*)(const Call&, const Walk&, const Tile&);
  const bool few = filter.activations.planes == kMaxActivationPlanes;
  const Sum sum =
      few ? SumTile<Isa, kPixels, kPlanes, true> : SumTile<Isa, kPixels, kPlanes, false>;
  SumRows(call, begin, end, own, LutPixelBytes(filter),
          LutBlockBytes(filter) * (kTileChannels / kBlock), kPixels,
          [&](const Tile& tile, const Walk& walk) { sum(call, walk, tile); });
}

template <typename Isa>
void RunLut(const Call& call, int stage, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Filter& filter = call.geometry.filter;
  if (stage == 0) {
    const int words = filter.PlaneWords();
    RewriteRows(call, begin, end, own, LutPixelBytes(filter),
                [&](const std::uint32_t* pixel, std::uint32_t last, std::uint8_t* out) {
                  for (int w = 0; w < words; ++w, out += kNibblesPerWord * kTableBytes) {
                    Isa::BuildTables(pixel + w, words, filter.activations.planes,
                                     w + 1 == words ? last : ~0u, out);
                  }
                });
    return;
  }
  switch (filter.weights.planes) {
    case 1:
      return SumLutRows<Isa, 1>(call, begin, end, own);
    case 2:
      return SumLutRows<Isa, 2>(call, begin, end, own);
    case 3:
      return SumLutRows<Isa, 3>(call, begin, end, own);
    case 4:
      return SumLutRows<Isa, 4>(call, begin, end, own);
  }
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
