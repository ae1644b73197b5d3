#include "kernels/bconv2d/tiled.h"

#include <algorithm>
#include <cstring>

namespace tfkit::bconv2d {
namespace {

// 64-bit words of a patch: all taps of one group, the last word filled up with clear bits.
std::size_t PatchDepth(const Filter& filter) {
  return (std::size_t(filter.Taps()) * filter.WordsPerGroup() + 1) / 2;
}

int ChannelTiles(const Filter& filter) {
  return (filter.OutputsPerGroup() + kTileChannels - 1) / kTileChannels;
}

int PixelTiles(const Geometry& geometry) {
  return (geometry.x.output + kTilePixels - 1) / kTilePixels;
}

std::int32_t CountBits(const std::uint32_t* words, int count) {
  std::int32_t bits = 0;
  for (int i = 0; i < count; ++i) bits += __builtin_popcount(words[i]);
  return bits;
}

// The words of `group` under window (oy, ox) of image n; clear bits outside the image.
void GatherPatch(const Geometry& geometry, const std::uint32_t* input, std::int64_t n, int oy,
                 int ox, int group, std::uint64_t* patch) {
  const Filter& filter = geometry.filter;
  const int words = filter.WordsPerGroup();
  const std::size_t tap_bytes = words * sizeof *input;
  char* out = reinterpret_cast<char*>(patch);
  patch[PatchDepth(filter) - 1] = 0;
  for (int fy = 0; fy < filter.height; ++fy) {
    const int y = geometry.y.Pixel(oy, fy);
    for (int fx = 0; fx < filter.width; ++fx, out += tap_bytes) {
      const int x = geometry.x.Pixel(ox, fx);
      if (geometry.y.Inside(y) && geometry.x.Inside(x)) {
        const std::size_t pixel = (std::size_t(n) * geometry.y.input + y) * geometry.x.input + x;
        std::memcpy(out, input + pixel * geometry.InputWords() + group * words, tap_bytes);
      } else {
        std::memset(out, 0, tap_bytes);
      }
    }
  }
}

void AddZeroTaps(const Call& call, int oy, int ox, std::int32_t* d) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  for (int fy = 0; fy < filter.height; ++fy) {
    for (int fx = 0; fx < filter.width; ++fx) {
      if (geometry.y.Inside(geometry.y.Pixel(oy, fy)) &&
          geometry.x.Inside(geometry.x.Pixel(ox, fx))) {
        continue;
      }
      const std::int32_t* extra =
          call.zero_tap + std::size_t(fy * filter.width + fx) * filter.channels_out;
      for (int c = 0; c < filter.channels_out; ++c) d[c] += extra[c];
    }
  }
}

}  // namespace

// words: [groups, tiles, depth, kTileChannels]; channels beyond the last are all clear.
PackedFilter PackTiles(const Filter& filter, const std::uint32_t* source) {
  const std::size_t depth = PatchDepth(filter);
  const int outputs = filter.OutputsPerGroup();
  const int tiles = ChannelTiles(filter);
  const int words = filter.WordsPerGroup();
  const std::size_t channel_words = std::size_t(filter.Taps()) * words;

  PackedFilter packed;
  packed.words = Buffer(filter.groups * tiles * depth * kTileChannels);
  packed.zero_tap = Buffer((std::size_t(filter.Taps()) * filter.channels_out + 1) / 2);
  auto* zero_tap = reinterpret_cast<std::int32_t*>(packed.zero_tap.data());
  for (int c = 0; c < filter.channels_out; ++c) {
    const std::uint32_t* channel = source + c * channel_words;
    const int in_group = c % outputs;
    const std::size_t tile = std::size_t(c / outputs) * tiles + in_group / kTileChannels;
    std::uint64_t* out =
        packed.words.data() + tile * depth * kTileChannels + in_group % kTileChannels;
    for (std::size_t k = 0; k < depth; ++k) {
      // A patch is filled word by word in memory, so the filter's words pair up the same way.
      std::uint64_t pair = 0;
      const std::size_t left = std::min<std::size_t>(2, channel_words - 2 * k);
      std::memcpy(&pair, channel + 2 * k, left * sizeof *channel);
      out[k * kTileChannels] = pair;
    }
    for (int tap = 0; tap < filter.Taps(); ++tap) {
      zero_tap[std::size_t(tap) * filter.channels_out + c] =
          filter.ChannelsPerGroup() - 2 * CountBits(channel + std::size_t(tap) * words, words);
    }
  }
  return packed;
}

Workspace TiledWorkspace(const Geometry& geometry) {
  const std::size_t patches = kTilePixels * PatchDepth(geometry.filter);
  const std::size_t d = (std::size_t(kTilePixels) * geometry.filter.channels_out + 1) / 2;
  return {0, patches + d};
}

Fit TiledFit(const Geometry&, const Cpu&) { return Fit::kSuits; }

std::int64_t TiledUnits(const Geometry& geometry, int) {
  return geometry.OutputRows() * PixelTiles(geometry);
}

void RunTiled(const Call& call, std::int64_t begin, std::int64_t end, std::uint64_t* own,
              Tile tile) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const std::size_t depth = PatchDepth(filter);
  const int outputs = filter.OutputsPerGroup();
  const int channel_tiles = ChannelTiles(filter);
  const int pixel_tiles = PixelTiles(geometry);
  const std::uint64_t* const patch[kTilePixels] = {own, own + depth};
  auto* rows = reinterpret_cast<std::int32_t*>(own + kTilePixels * depth);

  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::int64_t row = unit / pixel_tiles;
    const std::int64_t n = row / geometry.y.output;
    const int oy = static_cast<int>(row % geometry.y.output);
    const int ox = static_cast<int>(unit % pixel_tiles) * kTilePixels;
    // Of the last, odd pixel's tile the second half is computed from old bits and dropped.
    const int pixels = std::min(kTilePixels, geometry.x.output - ox);
    for (int group = 0; group < filter.groups; ++group) {
      for (int p = 0; p < pixels; ++p) {
        GatherPatch(geometry, call.input, n, oy, ox + p, group, own + p * depth);
      }
      const std::uint64_t* weights =
          call.weights + std::size_t(group) * channel_tiles * depth * kTileChannels;
      for (int t = 0; t < channel_tiles; ++t, weights += depth * kTileChannels) {
        std::int32_t differing[kTilePixels][kTileChannels];
        tile(patch, weights, depth, differing);
        const int first = t * kTileChannels;
        const int channels = std::min(kTileChannels, outputs - first);
        for (int p = 0; p < pixels; ++p) {
          std::int32_t* d = rows + p * filter.channels_out + group * outputs + first;
          for (int c = 0; c < channels; ++c) d[c] = 2 * differing[p][c];
        }
      }
    }
    if (geometry.zero_padding) {
      for (int p = 0; p < pixels; ++p)
        AddZeroTaps(call, oy, ox + p, rows + p * filter.channels_out);
    }
    StorePixels(call.transform, rows, filter.channels_out, row * geometry.x.output + ox, pixels,
                call.output);
  }
}

}  // namespace tfkit::bconv2d
