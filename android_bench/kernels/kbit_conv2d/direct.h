// The two stages around the tiles of a kernel that reads the padded image (`padded.h`). Included by
// one file per instruction set, each of which compiles it with its own flags, hence the unnamed
// namespace.
#pragma once

#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d {
namespace {

// Neighbouring pixels of one output row by the channels of a tile.
struct Tile {
  const std::uint8_t* image;    // under the first tap of the first pixel
  const std::uint8_t* weights;  // of the channels
  const std::int32_t* window;   // [pixels][PixelSums]
  WindowFilterSums filter[kMaxTilePixels];
  std::size_t pixel;  // the first, of the output tensor
  int pixels;
  int channel;   // the first, of channels_out
  int channels;  // that exist
};

// Set bits of a plane's words, two at a time; `last` has those of the last word that count.
TFKIT_ALWAYS_INLINE std::int32_t CountBits(const std::uint32_t* plane, int words,
                                           std::uint32_t last) {
  std::int32_t bits = 0;
  int w = 0;
  for (; w + 2 < words; w += 2) {
    std::uint64_t two;
    __builtin_memcpy(&two, plane + w, sizeof two);
    bits += __builtin_popcountll(two);
  }
  std::uint64_t rest = plane[words - 1] & last;
  if (w + 2 == words) rest |= std::uint64_t{plane[w]} << kWordBits;
  return bits + __builtin_popcountll(rest);
}

// A pixel's words in the kernel's own way: rewrite(words, out), [planes][PlaneWords()] to
// `pixel_bytes` bytes. What it need not know of: bits beyond the last channel are clear already.
template <typename Rewrite>
void RewriteRows(const Call& call, std::int64_t begin, std::int64_t end, std::uint64_t* own,
                 std::ptrdiff_t pixel_bytes, Rewrite rewrite) {
  const Filter& filter = call.geometry.filter;
  const PaddedScratch scratch = ScratchOf(call, pixel_bytes, own);
  const std::int64_t columns = PaddedOf(call.geometry).columns;
  const int planes = filter.activations.planes;
  const int words = filter.PlaneWords();
  const std::uint32_t last = LastWordMask(filter);
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const PaddedRow row = PaddedRowOf(call, unit, scratch.padding);
    std::uint8_t* out = scratch.image + unit * columns * pixel_bytes;
    std::int32_t* sums = scratch.pixel_sums + unit * columns * PixelSums(filter);
    for (std::int64_t column = 0; column < columns; ++column, out += pixel_bytes) {
      const std::uint32_t* pixel = row.Pixel(column);
      std::int32_t total = 0;
      for (int j = 0; j < planes; ++j) {
        const std::uint32_t* plane = pixel + std::size_t(j) * words;
        const std::int32_t bits = CountBits(plane, words, last);
        if (filter.bases) *sums++ = bits;
        total += bits << j;
      }
      if (!filter.bases) *sums++ = total;
      rewrite(pixel, last, out);
    }
  }
}

// sum(tile, walk) for all tiles of output rows, no wider than `pixels`. A tile's weights,
// `tile_bytes`, meet all pixels of a row before the next tile's.
template <typename Sum>
void SumRows(const Call& call, std::int64_t begin, std::int64_t end, std::uint64_t* own,
             std::ptrdiff_t pixel_bytes, std::size_t tile_bytes, int pixels, Sum sum) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const PaddedScratch scratch = ScratchOf(call, pixel_bytes, own);
  const Walk walk = WalkOf(geometry, pixel_bytes);
  const int width = geometry.x.output;
  // Of equal widths, give or take one.
  const int tiles = (width + pixels - 1) / pixels;
  const bool offset = filter.activations.lowest != 0;
  Tile tile = {};
  for (std::int64_t row = begin; row < end; ++row) {
    WindowTerms(call, row, scratch.pixel_sums, scratch.window_terms);
    const std::uint8_t* image = scratch.image + RowStart(geometry, row, pixel_bytes);
    const int oy = static_cast<int>(row % geometry.y.output);
    tile.weights = reinterpret_cast<const std::uint8_t*>(call.weights);
    for (int channel = 0; channel < filter.channels_out; channel += kTileChannels) {
      tile.channel = channel;
      const int left = filter.channels_out - channel;
      tile.channels = left < kTileChannels ? left : kTileChannels;
      int ox = 0;
      for (int t = 0; t < tiles; ++t, ox += tile.pixels) {
        tile.pixels = (width - ox + tiles - t - 1) / (tiles - t);
        tile.image = image + ox * walk.pixel;
        tile.window = scratch.window_terms + std::size_t(ox) * PixelSums(filter);
        tile.pixel = std::size_t(row) * width + ox;
        for (int p = 0; offset && p < tile.pixels; ++p) {
          std::int32_t* sums =
              scratch.filter_sums + std::size_t(p) * FilterSums(filter) * kTileChannels;
          tile.filter[p] = FilterSumsOf(call, oy, ox + p, channel, sums);
        }
        // Several times as many bytes are written as read: the lines are asked for in time.
        if (call.transform.type == OutputType::kFloats) {
          const float* out = call.Floats(tile.pixel) + channel;
          for (int p = 0; p < tile.pixels; ++p, out += filter.channels_out) {
            for (int c = 0; c < tile.channels; c += kBlock) __builtin_prefetch(out + c, 1);
          }
        }
        sum(tile, walk);
      }
      tile.weights += tile_bytes;
    }
  }
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
