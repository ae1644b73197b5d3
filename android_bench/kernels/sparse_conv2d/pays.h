// Whether leaving out the zeros is faster than a runtime's dense kernel.
#pragma once

#include "kernels/inlining.h"
#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

// Of one kernel, measured against XNNPACK on one kind of CPU; the unit is a dense multiply-add.
struct Cost {
  int lanes;        // pixels come in so many
  double nonzero;   // a weight times a pixel
  double streamed;  // more of it, where the weights come anew from beyond the second-level cache
  double moved;     // a value of the tile, or of the output, brought into its place
  double one;       // a weight times the only pixel, where dense weights wait for memory too
};

TFKIT_ALWAYS_INLINE Fit Pays(const Shape& shape, const Cost& cost) {
  constexpr std::size_t kCache = std::size_t{1} << 19;
  const double dense = static_cast<double>(shape.depth) * shape.outputs;
  const double moved = static_cast<double>(shape.depth + shape.outputs) * cost.moved;
  if (shape.pixels == 1) return shape.nonzeros * cost.one + moved < dense ? Fit::kSuits : Fit::kCan;
  const bool streams = shape.nonzeros * sizeof(Entry) > kCache;
  const double nonzero = cost.nonzero + (streams ? cost.streamed : 0);
  const std::size_t vectors = (shape.pixels + cost.lanes - 1) / cost.lanes;
  const double padding = static_cast<double>(vectors * cost.lanes) / shape.pixels;
  return padding * (shape.nonzeros * nonzero + moved) < dense ? Fit::kSuits : Fit::kCan;
}

}  // namespace tfkit::sparse_conv2d
