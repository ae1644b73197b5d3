// The input rows under the windows of an output row, with the padding around them, for the NEON
// kernels. Each prepares a row once, in its own way, and keeps as many as the filter has rows: the
// next output row needs most of them again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"
#include "kernels/kbit_conv2d/kernel.h"

namespace tfkit::kbit_conv2d::neon {

// Pixels of a row as the windows of `outputs` output pixels see it. Those `dilation` apart lie side
// by side, so that the taps of a window's row do.
struct Columns {
  std::size_t count;
  std::size_t dilation;
  std::size_t per_phase;  // of one remainder by `dilation`

  TFKIT_ALWAYS_INLINE Columns(const Geometry& geometry, int outputs)
      : count(std::size_t(outputs - 1) * geometry.x.stride +
              std::size_t(geometry.filter.width - 1) * geometry.x.dilation + 1),
        dilation(geometry.x.dilation),
        per_phase((count + dilation - 1) / dilation) {}

  TFKIT_ALWAYS_INLINE std::size_t Place(std::size_t column) const {
    return column % dilation * per_phase + column / dilation;
  }
  // Places, some of which no column has.
  TFKIT_ALWAYS_INLINE std::size_t Places() const { return per_phase * dilation; }
};

// Numbers that bits of a window add up to: one, or with bases one for each activation plane.
TFKIT_ALWAYS_INLINE int WindowTerms(const Filter& filter) {
  return filter.bases ? filter.activations.planes : 1;
}

// A row as bits: uint32 [planes][columns][PlaneWords], and 8 bytes behind it that may be read.
TFKIT_ALWAYS_INLINE std::size_t BitRowBytes(const Filter& filter, const Columns& columns) {
  return columns.count * filter.InputWords() * sizeof(std::uint32_t) + sizeof(std::uint64_t);
}

// Input row `y` of image `n`, which may lie outside, as bits: unused bits clear, padding as
// Geometry::pad_bits has it.
void PutBitRow(const Call&, const Columns&, std::int64_t n, int y, std::uint32_t* row);

// What the bits of each pixel add up to, the planes' bits 1, 2, 4, ... but with bases: int32
// [columns][WindowTerms].
void CountBits(const Filter&, const Columns&, const std::uint32_t* row, std::int32_t* counts);

// The rows under the windows of an output row, each with the counts of its bits, in a form that a
// kernel puts them in.
class Band {
 public:
  static std::size_t ScratchBytes(const Geometry&, const Columns&, std::size_t row_bytes);

  Band(const Geometry&, const Columns&, std::size_t row_bytes, std::uint8_t* scratch);

  // To the rows under output row `row`. put(n, y, bytes, counts) puts row y of image n there; no
  // row that this output row needs was there.
  template <typename Put>
  TFKIT_ALWAYS_INLINE void MoveTo(std::int64_t row, Put put) {
    const std::int64_t n = row / geometry_.y.output;
    const int oy = static_cast<int>(row % geometry_.y.output);
    for (int fy = 0; fy < geometry_.filter.height; ++fy) {
      bool fresh;
      const int slot = Find(n, oy, fy, fresh);
      std::uint8_t* bytes = slots_ + slot * SlotBytes();
      auto* counts = reinterpret_cast<std::int32_t*>(bytes + row_bytes_);
      if (fresh) put(n, geometry_.y.Pixel(oy, fy), bytes, counts);
      rows_[fy] = bytes;
      counts_[fy] = counts;
    }
    rows_[geometry_.filter.height] = rows_[0];
  }

  // Of each filter row; one more may be read, and is any.
  const std::uint8_t* const* rows() const { return rows_; }
  const std::int32_t* const* counts() const { return counts_; }

 private:
  std::size_t SlotBytes() const { return row_bytes_ + count_bytes_; }
  int Find(std::int64_t n, int oy, int fy, bool& fresh);

  const Geometry& geometry_;
  const std::size_t row_bytes_;
  const std::size_t count_bytes_;
  std::int64_t* owners_;  // of each slot: the row that is in it
  const std::uint8_t** rows_;
  const std::int32_t** counts_;
  std::uint8_t* slots_;
};

// More than rows that could ever pay.
constexpr std::size_t kMaxBandBytes = std::size_t{1} << 26;

// Whether as many rows as the filter has stay below that.
TFKIT_ALWAYS_INLINE bool BandFits(const Geometry& geometry, const Columns& columns,
                                  std::size_t bytes_of_column) {
  return columns.Places() < kMaxBandBytes && bytes_of_column < kMaxBandBytes &&
         columns.Places() * bytes_of_column < kMaxBandBytes &&
         columns.Places() * bytes_of_column * geometry.filter.height < kMaxBandBytes;
}

// Kernels of one stage: a unit is an output row.
std::int64_t RowUnits(const Geometry&, int stage);

TFKIT_ALWAYS_INLINE std::size_t AlignedBytes(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace tfkit::kbit_conv2d::neon
