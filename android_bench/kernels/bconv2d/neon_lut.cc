// Lookup tables instead of popcounts: neon_lut_layout.h.
#include <algorithm>
#include <cstring>

#include "kernels/bconv2d/neon_cores.h"
#include "kernels/bconv2d/neon_lut_sums.h"
#include "kernels/bconv2d/neon_lut_tables.h"
#include "kernels/bconv2d/neon_output.h"

namespace tfkit::bconv2d {
namespace {

constexpr std::size_t kMaxTableBytes = std::size_t{1} << 26;
constexpr std::size_t kWordBytes = sizeof(std::uint32_t);

// The thread's scratch.
struct Scratch {
  std::size_t tables, counts, partial, pointers, d, owners, clear, end;  // offsets in bytes

  explicit Scratch(const Geometry& geometry) {
    const neon::Lookups lookups(geometry.filter);
    const auto aligned = [](std::size_t bytes) { return (bytes + 63) / 64 * 64; };
    tables = 0;
    counts = aligned(geometry.filter.height * neon::Rows(geometry, lookups).row_bytes);
    partial = counts + CountsBytes(lookups) * 2;
    pointers = partial + neon::PartialBytes(geometry.filter);
    d = pointers + aligned((geometry.filter.height + 1) * sizeof(const std::uint8_t*));
    owners = d + aligned(geometry.filter.channels_out * sizeof(std::int32_t));
    clear = owners + aligned(geometry.filter.height * sizeof(std::int64_t));
    end = clear + aligned(geometry.InputWords() * kWordBytes);
  }

  // Of one row; read as if a tile had all its pixels.
  static std::size_t CountsBytes(const neon::Lookups& lookups) {
    return (std::size_t(lookups.vectors) * 2 + 1) * neon::kLutPixels * neon::kLanes *
           sizeof(std::uint16_t);
  }
};

Workspace NeededWorkspace(const Geometry& geometry) {
  return {0, Scratch(geometry).end / sizeof(std::uint64_t)};
}

// A unit is a pair of output rows.
std::int64_t Units(const Geometry& geometry, int) {
  return std::int64_t{geometry.batch} * neon::Half(geometry);
}

void Run(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const neon::Lookups lookups(geometry.filter);
  const neon::Rows rows(geometry, lookups);
  const Scratch scratch(geometry);
  auto* bytes = reinterpret_cast<std::uint8_t*>(own);
  auto* counts = reinterpret_cast<std::uint16_t*>(bytes + scratch.counts);
  std::uint16_t* counts_high = counts + Scratch::CountsBytes(lookups) / sizeof *counts;
  auto** pointers = reinterpret_cast<const std::uint8_t**>(bytes + scratch.pointers);
  auto* d = reinterpret_cast<std::int32_t*>(bytes + scratch.d);
  std::memset(bytes + scratch.clear, 0, scratch.end - scratch.clear);
  neon::Ring ring(call, lookups, rows, bytes + scratch.tables,
                  reinterpret_cast<std::int64_t*>(bytes + scratch.owners), bytes + scratch.clear);
  const int half = neon::Half(geometry);
  const int width = geometry.x.output;
  const int tiles = (width + neon::kLutPixels - 1) / neon::kLutPixels;
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::int64_t n = unit / half;
    const int oy = static_cast<int>(unit % half);
    const std::size_t first = (std::size_t(n) * geometry.y.output + oy) * width;
    for (int fy = 0; fy < geometry.filter.height; ++fy) pointers[fy] = ring.Get(n, oy, fy);
    pointers[geometry.filter.height] = pointers[0];
    int x = 0;
    for (int tile = tiles; tile > 0; --tile) {
      // Even, as far as possible, since two pixels make a step.
      const int even = ((width - x + tile - 1) / tile + 1) / 2 * 2;
      const int pixels = std::min(even, width - x);
      neon::SumTile(call, lookups, rows, pointers, x, pixels, bytes + scratch.partial,
                    {counts, counts_high, std::size_t(pixels) * neon::kLanes});
      const neon::Counts low = {counts, first + x, pixels, true};
      const neon::Counts high = {counts_high, first + std::size_t(half) * width + x, pixels, true};
      neon::Store(call, low);
      if (geometry.zero_padding) neon::StoreZeroPadded(call, low, d);
      if (oy + half < geometry.y.output) {
        neon::Store(call, high);
        if (geometry.zero_padding) neon::StoreZeroPadded(call, high, d);
      }
      x += pixels;
    }
  }
}

// Tables pay where many output channels and taps share them.
Fit FitOf(const Geometry& geometry, const Cpu& cpu) {
  const Filter& filter = geometry.filter;
  if (filter.groups != 1 || !filter.CountsFit16Bits() ||
      Scratch(geometry).tables +
              filter.height * neon::Rows(geometry, neon::Lookups(filter)).row_bytes >
          kMaxTableBytes) {
    return Fit::kCannot;
  }
  const bool shared = filter.Taps() >= 4 && filter.channels_out >= 32 && filter.channels_in >= 32 &&
                      geometry.y.output >= 2 && geometry.y.stride == 1 && geometry.x.stride == 1;
  return shared && neon::LoopFor(cpu) == neon::Loop::kLookup ? Fit::kSuits : Fit::kCan;
}

}  // namespace

const Kernel kernels::neon_lut = {"neon_lut",      Isa::kNeon, FitOf, neon::PackLookups,
                                  NeededWorkspace, 1,          Units, Run};

}  // namespace tfkit::bconv2d
