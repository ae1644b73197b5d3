#include "kernels/kbit_conv2d/neon_outputs.h"

#include <cstring>

#include "kernels/kbit_conv2d/neon_store.h"
#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

std::size_t FilterCount(const Filter& filter) {
  return std::size_t(filter.Terms()) * PaddedChannels(filter.channels_out);
}

// Taps outside the image add nothing, and what they would have added is not nothing.
bool HasEdges(const Geometry& geometry) {
  return geometry.pad_bits < 0 && geometry.filter.activations.lowest != 0;
}

std::int32_t Twice(Counted counted) { return counted == Counted::kDifferences ? 2 : 1; }

std::size_t TapCount(const Filter& filter) {
  return std::size_t(FilterSums(filter)) * PaddedChannels(filter.channels_out);
}

// Adds factor x a tap's sums, as PackFilterSums has them, to the terms.
void AddTap(const Filter& filter, const std::int32_t* tap, std::int32_t factor,
            std::int32_t* terms) {
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const int repeats = WindowTerms(filter);
  for (int i = 0; i < FilterSums(filter); ++i, tap += padded) {
    for (int j = 0; j < repeats; ++j, terms += padded) {
      for (std::size_t c = 0; c < padded; ++c) terms[c] += factor * tap[c];
    }
  }
}

}  // namespace

std::size_t Outputs::ScratchBytes(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const std::size_t tables = FilterCount(filter) * (HasEdges(geometry) ? kTilePixels + 1 : 1);
  return (tables + std::size_t(geometry.x.output) * WindowTerms(filter)) * sizeof(std::int32_t);
}

bool Outputs::NeedsBits(const Filter& filter, Counted counted) {
  return filter.weights.lowest != 0 || counted == Counted::kDifferences;
}

Outputs::Outputs(const Call& call, Counted counted, std::uint8_t* scratch)
    : call_(call),
      counted_(counted),
      factor_(call.geometry.filter.weights.step * call.geometry.filter.activations.step /
              Multiplier(call.geometry.filter)),
      filter_(reinterpret_cast<std::int32_t*>(scratch)),
      edge_(filter_ + FilterCount(call.geometry.filter)),
      window_(edge_ +
              (HasEdges(call.geometry) ? kTilePixels * FilterCount(call.geometry.filter) : 0)) {
  const Filter& filter = call.geometry.filter;
  const Code& w = filter.weights;
  const Code& a = filter.activations;
  std::int32_t factor = Twice(counted) * w.step * a.lowest;
  if (counted == Counted::kDifferences) {
    factor += w.step * a.step * (filter.bases ? 1 : (1 << a.planes) - 1);
  }
  std::memset(filter_, 0, FilterCount(filter) * sizeof *filter_);
  if (factor == 0) return;
  // The last tap's sums are those of all.
  AddTap(filter, call.tap_bits + filter.Taps() * TapCount(filter), factor, filter_);
}

// Taps of the window of pixel x that add something, `rows` rows of them.
int Outputs::InsideTaps(int x, int rows) const {
  const Geometry& geometry = call_.geometry;
  if (geometry.pad_bits >= 0) return geometry.filter.Taps();
  int inside = 0;
  for (int fx = 0; fx < geometry.filter.width; ++fx) {
    inside += geometry.x.Inside(geometry.x.Pixel(x, fx));
  }
  return inside * rows;
}

void Outputs::SetWindows(const std::int32_t* const* counts) {
  const Geometry& geometry = call_.geometry;
  const Filter& filter = geometry.filter;
  const Code& w = filter.weights;
  const Code& a = filter.activations;
  const int terms = WindowTerms(filter);
  const std::int32_t twice = Twice(counted_);
  std::int32_t factor = twice * w.lowest * a.step;
  if (counted_ == Counted::kDifferences) {
    factor += w.step * a.step * (filter.bases ? 1 : (1 << w.planes) - 1);
  }
  const std::int32_t per_tap = twice * w.lowest * a.lowest * filter.channels_in;
  std::int32_t* out = window_;
  for (int x = 0; x < geometry.x.output; ++x) {
    const std::int32_t constant = per_tap == 0 ? 0 : per_tap * InsideTaps(x, inside_rows_);
    for (int j = 0; j < terms; ++j, ++out) {
      std::int32_t bits = 0;
      const std::size_t first = std::size_t(x) * geometry.x.stride * terms + j;
      const std::size_t pitch = std::size_t(geometry.x.dilation) * terms;
      for (int fy = 0; fy < filter.height; ++fy) {
        const std::int32_t* at = counts[fy] + first;
        for (int fx = 0; fx < filter.width; ++fx, at += pitch) bits += *at;
      }
      *out = factor * bits + constant;
    }
  }
}

void Outputs::BeginRow(std::int64_t row, const std::int32_t* const* counts) {
  const Geometry& geometry = call_.geometry;
  row_ = row;
  inside_rows_ = 0;
  const int oy = static_cast<int>(row % geometry.y.output);
  for (int fy = 0; fy < geometry.filter.height; ++fy) {
    inside_rows_ += geometry.y.Inside(geometry.y.Pixel(oy, fy));
  }
  if (NeedsBits(geometry.filter, counted_)) return SetWindows(counts);
  std::memset(window_, 0,
              std::size_t(geometry.x.output) * WindowTerms(geometry.filter) * sizeof *window_);
}

// What the filter's bits add at pixel x; where its window leaves the image, put into `edge`.
const std::int32_t* Outputs::FilterTerms(int x, std::int32_t* edge) const {
  const Geometry& geometry = call_.geometry;
  const Filter& filter = geometry.filter;
  if (!HasEdges(geometry) || InsideTaps(x, inside_rows_) == filter.Taps()) return filter_;
  const int oy = static_cast<int>(row_ % geometry.y.output);
  std::memcpy(edge, filter_, FilterCount(filter) * sizeof *edge);
  for (int tap = 0; tap < filter.Taps(); ++tap) {
    if (geometry.y.Inside(geometry.y.Pixel(oy, tap / filter.width)) &&
        geometry.x.Inside(geometry.x.Pixel(x, tap % filter.width))) {
      continue;
    }
    AddTap(filter, call_.tap_bits + tap * TapCount(filter),
           -Twice(counted_) * filter.weights.step * filter.activations.lowest, edge);
  }
  return edge;
}

void Outputs::Put(int x, int pixels, int pitch, const std::int32_t* sums) const {
  const Geometry& geometry = call_.geometry;
  const int terms = WindowTerms(geometry.filter);
  const std::int32_t* filter[kTilePixels];
  for (int p = 0; p < pixels; ++p) {
    filter[p] = FilterTerms(x + p, edge_ + p * FilterCount(geometry.filter));
  }
  const Tile tile = {std::size_t(row_) * geometry.x.output + x,
                     pixels,
                     pitch,
                     sums,
                     filter,
                     window_ + std::size_t(x) * terms,
                     factor_,
                     counted_ == Counted::kDifferences};
  Store(call_, tile);
}

}  // namespace tfkit::kbit_conv2d::neon
