// The bit-serial convolution around its innermost loop, which counts the bits that a weight plane
// and an activation plane share. Included by one file per instruction set, each of which compiles
// it with its own flags, hence the unnamed namespace: one shared copy would run everywhere what
// only some CPUs can.
//
// With S_ij the shared bits, R_j those of the window, T_i those of the filter's taps inside the
// image, n the values of the window, and each bit standing for step * b + lowest:
//
//   sum w_i a_j = ws as S_ij + wl as R_j + ws al T_i + wl al n
//
// and the same with 2^(i + j) S_ij, 2^j R_j and 2^i T_i added up where the planes make one integer.
#pragma once

#include <cstring>

#include "kernels/kbit_conv2d/blocks.h"

namespace tfkit::kbit_conv2d {
namespace {

// Some pixels of a row.
struct Tile {
  std::uint32_t* patch;  // [PatchWords][pixels][planes]
  std::int32_t window_bits[kTilePixels][kMaxActivationPlanes];
  std::int32_t values[kTilePixels];              // n
  const std::int32_t* filter_bits[kTilePixels];  // [weight planes][PaddedChannels]
  std::size_t pixel;                             // the first, of the output tensor
};

template <int kPixels, int kPlanes>
void Gather(const Call& call, std::int64_t row, int ox, std::int32_t* scratch, Tile& tile) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const std::int64_t n = row / geometry.y.output;
  const int oy = static_cast<int>(row % geometry.y.output);
  const int words = filter.PlaneWords();
  const std::size_t filter_row = filter.weights.planes * PaddedChannels(filter.channels_out);
  const std::uint32_t last = filter.channels_in % kWordBits
                                 ? (std::uint32_t{1} << (filter.channels_in % kWordBits)) - 1
                                 : ~std::uint32_t{0};
  for (int p = 0; p < kPixels; ++p) {
    int taps = 0;
    std::int32_t bits[kPlanes] = {};
    std::uint32_t* out = tile.patch + p * kPlanes;
    for (int fy = 0; fy < filter.height; ++fy) {
      const int y = geometry.y.Pixel(oy, fy);
      const bool row_inside = geometry.y.Inside(y);
      const std::uint32_t* line =
          call.input + (std::size_t(n) * geometry.y.input + (row_inside ? y : 0)) *
                           geometry.x.input * (words * kPlanes);
      for (int fx = 0; fx < filter.width; ++fx) {
        const int x = geometry.x.Pixel(ox + p, fx);
        if (row_inside && geometry.x.Inside(x)) {
          ++taps;
          const std::uint32_t* in = line + std::size_t(x) * (words * kPlanes);
          for (int w = 0; w < words; ++w, out += kPixels * kPlanes) {
            for (int j = 0; j < kPlanes; ++j) {
              // Whoever wrote the bits may know of more channels than this filter.
              out[j] = in[j * words + w] & (w + 1 == words ? last : ~std::uint32_t{0});
              bits[j] += __builtin_popcount(out[j]);
            }
          }
          continue;
        }
        if (geometry.pad_bits >= 0) ++taps;
        for (int w = 0; w < words; ++w, out += kPixels * kPlanes) {
          for (int j = 0; j < kPlanes; ++j) {
            const bool set = geometry.pad_bits >= 0 && (geometry.pad_bits >> j & 1);
            out[j] = !set ? 0 : w + 1 == words ? last : ~std::uint32_t{0};
            bits[j] += __builtin_popcount(out[j]);
          }
        }
      }
    }
    for (int j = 0; j < kPlanes; ++j) tile.window_bits[p][j] = bits[j];
    tile.values[p] = taps * filter.channels_in;
    // The last row of tap_bits is that of all taps.
    tile.filter_bits[p] = call.tap_bits + filter.Taps() * filter_row;
    if (filter.activations.lowest == 0 || taps == filter.Taps()) continue;
    std::int32_t* sum = scratch + p * filter_row;
    std::memset(sum, 0, filter_row * sizeof *sum);
    for (int tap = 0; tap < filter.Taps(); ++tap) {
      if (!geometry.y.Inside(geometry.y.Pixel(oy, tap / filter.width)) ||
          !geometry.x.Inside(geometry.x.Pixel(ox + p, tap % filter.width))) {
        continue;
      }
      const std::int32_t* bits = call.tap_bits + tap * filter_row;
      for (std::size_t c = 0; c < filter_row; ++c) sum[c] += bits[c];
    }
    tile.filter_bits[p] = sum;
  }
}

// What a window adds to all its sums: the terms of R and n.
template <int kPlanes>
std::int32_t WindowTerm(const Filter& filter, const Tile& tile, int p, int plane) {
  std::int32_t bits = 0;
  if (filter.bases) {
    bits = tile.window_bits[p][plane];
  } else {
    for (int j = 0; j < kPlanes; ++j) bits += tile.window_bits[p][j] << j;
  }
  return filter.weights.lowest *
         (filter.activations.step * bits + filter.activations.lowest * tile.values[p]);
}

template <int kPixels>
void WriteFloats(const Call& call, const Tile& tile, int block, const float (&y)[kPixels][kBlock]) {
  const int channels_out = call.geometry.filter.channels_out;
  const int first = block * kBlock;
  const int channels = channels_out - first < kBlock ? channels_out - first : kBlock;
  for (int p = 0; p < kPixels; ++p) {
    float out[kBlock];
    for (int c = 0; c < kBlock; ++c) out[c] = y[p][c] + call.transform.bias[first + c];
    float* to = call.Floats(tile.pixel + p) + first;
    if (channels == kBlock) {
      std::memcpy(to, out, sizeof out);
    } else {
      std::memcpy(to, out, channels * sizeof *out);
    }
  }
}

// One integer a value: planes are shifted and added before anything is a float.
template <typename Counter, int kPixels, int kPlanes>
void IntegerBlock(const Call& call, const Tile& tile, int block, const std::uint32_t* weights) {
  const Filter& filter = call.geometry.filter;
  const int depth = PatchWords(filter);
  const std::size_t padded = PaddedChannels(filter.channels_out);
  std::int32_t total[kPixels][kBlock] = {};
  for (int i = 0; i < filter.weights.planes; ++i, weights += std::size_t(depth) * kBlock) {
    std::int32_t shared[kPixels][kPlanes][kBlock];
    Counter::template Count<kPixels, kPlanes>(tile.patch, weights, depth, shared);
    for (int p = 0; p < kPixels; ++p) {
      for (int j = 0; j < kPlanes; ++j) {
        for (int c = 0; c < kBlock; ++c) total[p][c] += shared[p][j][c] << (i + j);
      }
    }
  }
  const std::int32_t step = filter.weights.step * filter.activations.step;
  const std::int32_t from_filter = filter.weights.step * filter.activations.lowest;
  float y[kPixels][kBlock];
  for (int p = 0; p < kPixels; ++p) {
    const std::int32_t window = WindowTerm<kPlanes>(filter, tile, p, 0);
    std::int32_t sums[kBlock];
    for (int c = 0; c < kBlock; ++c) sums[c] = total[p][c] * step + window;
    if (from_filter != 0) {
      const std::int32_t* bits = tile.filter_bits[p] + block * kBlock;
      for (int i = 0; i < filter.weights.planes; ++i, bits += padded) {
        for (int c = 0; c < kBlock; ++c) sums[c] += from_filter * (bits[c] << i);
      }
    }
    if (call.transform.type == OutputType::kLevels) {
      StoreLevels(call.transform, filter.channels_out, block, sums, call.Levels(tile.pixel + p));
      continue;
    }
    const float* scale = call.transform.scales + block * kBlock;
    for (int c = 0; c < kBlock; ++c) y[p][c] = static_cast<float>(sums[c]) * scale[c];
  }
  if (call.transform.type == OutputType::kFloats) WriteFloats<kPixels>(call, tile, block, y);
}

// Every pair of planes with a scale of its own.
template <typename Counter, int kPixels, int kPlanes>
void BasesBlock(const Call& call, const Tile& tile, int block, const std::uint32_t* weights) {
  const Filter& filter = call.geometry.filter;
  const int depth = PatchWords(filter);
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::int32_t step = filter.weights.step * filter.activations.step;
  const std::int32_t from_filter = filter.weights.step * filter.activations.lowest;
  const float* scale = call.transform.scales + block * kBlock;
  float y[kPixels][kBlock] = {};
  for (int i = 0; i < filter.weights.planes; ++i, weights += std::size_t(depth) * kBlock) {
    std::int32_t shared[kPixels][kPlanes][kBlock];
    Counter::template Count<kPixels, kPlanes>(tile.patch, weights, depth, shared);
    for (int j = 0; j < kPlanes; ++j, scale += padded) {
      for (int p = 0; p < kPixels; ++p) {
        const std::int32_t window = WindowTerm<kPlanes>(filter, tile, p, j);
        const std::int32_t* bits = tile.filter_bits[p] + i * padded + block * kBlock;
        for (int c = 0; c < kBlock; ++c) {
          const std::int32_t sum = shared[p][j][c] * step + window + from_filter * bits[c];
          const float product = static_cast<float>(sum) * scale[c];
          y[p][c] += product;
        }
      }
    }
  }
  WriteFloats<kPixels>(call, tile, block, y);
}

template <typename Counter, int kPixels, int kPlanes>
void RunTile(const Call& call, std::int64_t row, int ox, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const int depth = PatchWords(filter);
  const std::size_t patch_words =
      AlignedWords((std::size_t(kTilePixels) * kPlanes * depth + 1) / 2);
  Tile tile;
  tile.patch = reinterpret_cast<std::uint32_t*>(own);
  tile.pixel = std::size_t(row) * geometry.x.output + ox;
  Gather<kPixels, kPlanes>(call, row, ox, reinterpret_cast<std::int32_t*>(own + patch_words), tile);
  const int blocks = static_cast<int>(PaddedChannels(filter.channels_out) / kBlock);
  const auto* weights = reinterpret_cast<const std::uint32_t*>(call.weights);
  const std::size_t block_words = std::size_t(filter.weights.planes) * depth * kBlock;
  for (int block = 0; block < blocks; ++block, weights += block_words) {
    if (filter.bases) {
      BasesBlock<Counter, kPixels, kPlanes>(call, tile, block, weights);
    } else {
      IntegerBlock<Counter, kPixels, kPlanes>(call, tile, block, weights);
    }
  }
}

template <typename Counter, int kPlanes>
void RunRows(const Call& call, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  constexpr int kMost = Counter::Pixels(kPlanes);
  static_assert(kMost <= kTilePixels, "scratch holds kTilePixels");
  using TileFunction = void (*)(const Call&, std::int64_t, int, std::uint64_t*);
  // clang-format off
  constexpr TileFunction kTiles[kTilePixels] = {
      RunTile<Counter, 1, kPlanes>,
      RunTile<Counter, (kMost < 2 ? kMost : 2), kPlanes>,
      RunTile<Counter, (kMost < 3 ? kMost : 3), kPlanes>,
      RunTile<Counter, (kMost < 4 ? kMost : 4), kPlanes>,
      RunTile<Counter, (kMost < 5 ? kMost : 5), kPlanes>,
      RunTile<Counter, (kMost < 6 ? kMost : 6), kPlanes>,
      RunTile<Counter, (kMost < 7 ? kMost : 7), kPlanes>,
      RunTile<Counter, kMost, kPlanes>};
  // clang-format on
  const int width = call.geometry.x.output;
  for (std::int64_t row = begin; row < end; ++row) {
    for (int ox = 0; ox < width; ox += kMost) {
      kTiles[(width - ox < kMost ? width - ox : kMost) - 1](call, row, ox, own);
    }
  }
}

template <typename Counter>
void RunBitSerial(const Call& call, int, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  switch (call.geometry.filter.activations.planes) {
    case 1:
      return RunRows<Counter, 1>(call, begin, end, own);
    case 2:
      return RunRows<Counter, 2>(call, begin, end, own);
    case 3:
      return RunRows<Counter, 3>(call, begin, end, own);
    case 4:
      return RunRows<Counter, 4>(call, begin, end, own);
  }
}

}  // namespace
}  // namespace tfkit::kbit_conv2d
