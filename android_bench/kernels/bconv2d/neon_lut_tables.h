// The tables of the pixels under the windows of a pair of output rows.
#pragma once

#include "kernels/bconv2d/neon_lut_layout.h"

namespace tfkit::bconv2d::neon {

// Rows of tables, as many as the filter has rows: what one pair of output rows needs. Most of them
// serve the next pair too.
class Ring {
 public:
  // `tables` holds filter rows x Rows::row_bytes, `owners` a number for each filter row, `clear` a
  // pixel's words of clear bits.
  Ring(const Call&, const Lookups&, const Rows&, std::uint8_t* tables, std::int64_t* owners,
       const std::uint8_t* clear);

  // The row under filter row `fy` of pair `oy` of image `n`.
  const std::uint8_t* Get(std::int64_t n, int oy, int fy);

 private:
  std::uint8_t* Row(int slot) const { return tables_ + slot * rows_.row_bytes; }
  int Unneeded(std::int64_t n, int oy) const;
  void Put(std::int64_t n, int low, std::uint8_t* tables) const;

  const Call& call_;
  const Lookups& lookups_;
  const Rows& rows_;
  std::uint8_t* tables_;
  std::int64_t* owners_;  // of each slot: the row that is in it
  const std::uint8_t* clear_;
  const int slots_;
};

}  // namespace tfkit::bconv2d::neon
