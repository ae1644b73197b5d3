// Whether leaving out the zeros is faster than a runtime's dense kernel.
#pragma once

#include "kernels/inlining.h"
#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

// Of one kernel, against XNNPACK on one kind of CPU; the unit is a dense multiply-add.
struct Cost {
  int lanes;         // pixels come in so many
  double single;     // a weight outside of blocks times a pixel
  double in_block;   // a weight of a block times a pixel
  double streamed;   // more of either, where weights come anew from beyond the second-level cache
  double moved;      // a value of the tile, or of the output, brought into its place
  double one;        // a weight times the only pixel, where dense weights wait for memory too
  double one_block;  // likewise, of a block
};

TFKIT_ALWAYS_INLINE Fit Pays(const Shape& shape, const Cost& cost) {
  constexpr std::size_t kCache = std::size_t{1} << 19;
  const double dense = static_cast<double>(shape.depth) * shape.outputs;
  const double moved = static_cast<double>(shape.depth + shape.outputs) * cost.moved;
  const double in_blocks = static_cast<double>(shape.blocks) * kGroup;
  if (shape.pixels == 1) {
    const double sparse = shape.singles * cost.one + in_blocks * cost.one_block + moved;
    return sparse < dense ? Fit::kSuits : Fit::kCan;
  }
  const bool streams = shape.singles * sizeof(Entry) + shape.blocks * sizeof(Block) > kCache;
  const double streamed = streams ? cost.streamed : 0;
  const double sparse =
      shape.singles * (cost.single + streamed) + in_blocks * (cost.in_block + streamed) + moved;
  const std::size_t vectors = (shape.pixels + cost.lanes - 1) / cost.lanes;
  const double padding = static_cast<double>(vectors * cost.lanes) / shape.pixels;
  return padding * sparse < dense ? Fit::kSuits : Fit::kCan;
}

}  // namespace tfkit::sparse_conv2d
