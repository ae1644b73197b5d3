// Lookup tables instead of bit counts: neon_lut_layout.h.
#include <algorithm>

#include "kernels/kbit_conv2d/crossover.h"
#include "kernels/kbit_conv2d/neon_lut_layout.h"
#include "kernels/kbit_conv2d/neon_lut_sums.h"
#include "kernels/kbit_conv2d/neon_outputs.h"

namespace tfkit::kbit_conv2d {
namespace {

using neon::AlignedBytes;
using neon::Lookups;
using neon::TableRows;

// The thread's scratch; offsets in bytes.
struct Scratch {
  std::size_t first, second, partial, bits, outputs, band, end;

  Scratch(const Geometry& geometry, const Lookups& lookups, const TableRows& rows) {
    const Filter& filter = geometry.filter;
    const std::size_t sums = AlignedBytes(neon::SumsBytes(filter, neon::kTilePixels));
    first = 0;
    second = first + sums;
    partial = second + (lookups.Pairs() ? sums : 0);
    bits = partial + neon::PartialBytes(filter, lookups);
    outputs = bits + AlignedBytes(neon::BitRowBytes(filter, rows.bits));
    band = outputs + AlignedBytes(neon::Outputs::ScratchBytes(geometry));
    end = band + neon::Band::ScratchBytes(geometry, rows.bits, rows.row_bytes);
  }
};

Workspace NeededWorkspace(const Geometry& geometry) {
  const Lookups lookups(geometry.filter);
  const TableRows rows(geometry, lookups);
  return {0, Scratch(geometry, lookups, rows).end / sizeof(std::uint64_t)};
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const Lookups lookups(filter);
  const TableRows rows(geometry, lookups);
  const Scratch scratch(geometry, lookups, rows);
  auto* bytes = reinterpret_cast<std::uint8_t*>(own);
  auto* first = reinterpret_cast<std::int32_t*>(bytes + scratch.first);
  auto* second = reinterpret_cast<std::int32_t*>(bytes + scratch.second);
  auto* bit_row = reinterpret_cast<std::uint32_t*>(bytes + scratch.bits);
  constexpr neon::Counted kCounted = neon::Counted::kProducts;
  neon::Outputs outputs(call, kCounted, bytes + scratch.outputs);
  neon::Band band(geometry, rows.bits, rows.row_bytes, bytes + scratch.band);
  const int width = geometry.x.output;
  const int tiles = (rows.units + neon::kTilePixels - 1) / neon::kTilePixels;
  for (std::int64_t row = begin; row < end; ++row) {
    band.MoveTo(row, [&](std::int64_t n, int y, std::uint8_t* tables, std::int32_t* counts) {
      neon::PutBitRow(call, rows.bits, n, y, bit_row);
      neon::PutTableRow(geometry, lookups, rows, bit_row, tables);
      if (neon::Outputs::NeedsBits(filter, kCounted)) {
        neon::CountBits(filter, rows.bits, bit_row, counts);
      }
    });
    outputs.BeginRow(row, band.counts());
    int x = 0;
    for (int tile = tiles; tile > 0; --tile) {
      // Even, as far as possible, since two units make a step.
      const int even = ((rows.units - x + tile - 1) / tile + 1) / 2 * 2;
      const int units = std::min(even, rows.units - x);
      neon::SumTile(call, lookups, rows, band.rows(), x, units, bytes + scratch.partial, first,
                    second);
      outputs.Put(x, units, units, first);
      if (lookups.Pairs()) {
        const int left = width - rows.units - x;
        if (left > 0) outputs.Put(rows.units + x, std::min(units, left), units, second);
      }
      x += units;
    }
  }
}

// The sums of pairs are of 16 bits before they are of 32.
Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  const Filter& filter = geometry.filter;
  const Lookups lookups(filter);
  const std::int64_t largest = filter.Depth() * ((1 << lookups.table_bits) - 1);
  if ((lookups.Pairs() && largest > 0xffff) ||
      !neon::BandFits(geometry, neon::Columns(geometry, geometry.x.output),
                      lookups.planes * lookups.tables * neon::kTableBytes)) {
    return Fit::kCannot;
  }
  return Crossover(geometry, cpu) == Road::kLut ? Fit::kSuits : Fit::kCan;
}

}  // namespace

const Kernel kernels::neon_lut = {"neon_lut", Isa::kNeon,        Road::kLut,
                                  FitOf,      neon::PackLookups, NeededWorkspace,
                                  1,          neon::RowUnits,    Run};

}  // namespace tfkit::kbit_conv2d
