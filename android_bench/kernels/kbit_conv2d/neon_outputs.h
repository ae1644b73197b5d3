// From what the NEON kernels count to outputs. Kernels count differently (`Counted`); the sum of
// products w a follows from
//
//   ws as sum w_i a_j + wl as R_j + ws al T_i + wl al n
//
// as in bit_serial.h, with the planes' bits weighed 1, 2, 4, ... where they make one integer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/inlining.h"
#include "kernels/kbit_conv2d/kernel.h"
#include "kernels/kbit_conv2d/neon_rows.h"

namespace tfkit::kbit_conv2d::neon {

constexpr int kLanes = 8;       // output channels of a vector of counts
constexpr int kTilePixels = 8;  // most pixels of a tile

TFKIT_ALWAYS_INLINE int Vectors(const Filter& filter) {
  return (filter.channels_out + kLanes - 1) / kLanes;
}

enum class Counted {
  kProducts,     // sum w_i a_j
  kDifferences,  // -(bits in which w_i and a_j differ): R_j + T_i minus those is twice the former
};

// What a kernel multiplies its counts by: ws as, so that it need not be done here, if the numbers
// that kernels multiply stay small enough for that; else 1.
TFKIT_ALWAYS_INLINE int Multiplier(const Filter& filter) {
  const Code& w = filter.weights;
  const Code& a = filter.activations;
  const bool bytes = w.step << w.planes <= 256 && a.step << a.planes <= 256;
  return bytes && w.step * a.step << (w.planes + a.planes - 2) <= 0xffff ? w.step * a.step : 1;
}

// int32 [terms][Vectors][pitch pixels][kLanes], times Multiplier().
TFKIT_ALWAYS_INLINE std::size_t SumsBytes(const Filter& filter, int pitch) {
  return std::size_t(filter.Terms()) * Vectors(filter) * pitch * kLanes * sizeof(std::int32_t);
}

class Outputs {
 public:
  static std::size_t ScratchBytes(const Geometry&);
  // Whether BeginRow reads the counts of the windows' bits.
  static bool NeedsBits(const Filter&, Counted);

  Outputs(const Call&, Counted, std::uint8_t* scratch);

  // Before the pixels of an output row; CountBits of the rows under each filter row.
  void BeginRow(std::int64_t row, const std::int32_t* const* counts);

  // Writes pixels [x, x + pixels) of the row, kTilePixels at most.
  void Put(int x, int pixels, int pitch, const std::int32_t* sums) const;

 private:
  void SetWindows(const std::int32_t* const* counts);
  int InsideTaps(int x, int rows) const;
  const std::int32_t* FilterTerms(int x, std::int32_t* edge) const;

  const Call& call_;
  const Counted counted_;
  const int factor_;      // what counts still have to be multiplied by
  std::int32_t* filter_;  // [terms][PaddedChannels], of all taps
  std::int32_t* edge_;    // [kTilePixels] of the same, of the taps inside the image
  std::int32_t* window_;  // [pixels of the row][WindowTerms]
  std::int64_t row_ = 0;
  int inside_rows_ = 0;  // rows of the filter inside the image
};

}  // namespace tfkit::kbit_conv2d::neon
