#include "kernels/bconv2d/neon_tiled.h"

#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "kernels/bconv2d/neon_output.h"
#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d::neon {
namespace {

constexpr std::size_t kStepBytes = 16;
constexpr int kStepWords = 4;
constexpr std::size_t kWordBytes = sizeof(std::uint32_t);

// The words of one group under one window, cut into steps.
struct Depth {
  std::size_t words;
  std::size_t steps;  // of 128 bits
  bool half;          // and one of 64

  explicit Depth(const Filter& filter)
      : words(std::size_t(filter.Taps()) * filter.WordsPerGroup()),
        steps((words + 1) / kStepWords),
        half(words % kStepWords == 1 || words % kStepWords == 2) {}

  std::size_t PatchBytes() const { return (steps + half) * kStepBytes * kTilePixels; }
  std::size_t VectorBytes() const { return (steps + half) * kStepBytes * kTileChannels; }
};

// An output row is cut into tiles as evenly as possible: 28 pixels are 4 x 7, not 3 x 8 + 4.
struct Row {
  int tiles;
  int size;  // pixels of a tile; of the first `larger` tiles, one more
  int larger;

  explicit Row(int pixels)
      : tiles((pixels + kTilePixels - 1) / kTilePixels),
        size(pixels / tiles),
        larger(pixels % tiles) {}
};

// The input rows under the windows of one output row, with the padding around them as clear bits.
struct Band {
  int width;  // pixels
  std::size_t pixel_bytes;
  std::size_t row_bytes;

  explicit Band(const Geometry& geometry)
      : width(geometry.x.Pixel(geometry.x.output - 1, geometry.filter.width - 1) +
              geometry.x.pad_before + 1),
        pixel_bytes(geometry.InputWords() * kWordBytes),
        row_bytes(width * pixel_bytes) {}
};

void FillBand(const Call& call, const Band& band, std::int64_t n, int oy, std::uint8_t* rows) {
  const Geometry& geometry = call.geometry;
  const std::size_t before = geometry.x.pad_before * band.pixel_bytes;
  const std::size_t image =
      std::min(geometry.x.input, band.width - geometry.x.pad_before) * band.pixel_bytes;
  for (int fy = 0; fy < geometry.filter.height; ++fy, rows += band.row_bytes) {
    const int y = geometry.y.Pixel(oy, fy);
    if (!geometry.y.Inside(y)) {
      std::memset(rows, 0, band.row_bytes);
      continue;
    }
    const std::uint32_t* source = call.input + (std::size_t(n) * geometry.y.input + y) *
                                                   geometry.x.input * geometry.InputWords();
    std::memset(rows, 0, before);
    std::memcpy(rows + before, source, image);
    std::memset(rows + before + image, 0, band.row_bytes - before - image);
  }
}

// One T of each of `pixels` pixels, eight at most.
template <typename T, int pixels, std::size_t to_pitch>
[[gnu::always_inline]] inline void CopyKnown(const std::uint8_t* from, std::size_t from_pitch,
                                             std::uint8_t* to) {
#pragma GCC unroll 8
  for (int p = 0; p < pixels; ++p, from += from_pitch) {
    T value;
    std::memcpy(&value, from, sizeof value);
    std::memcpy(to + p * to_pitch, &value, sizeof value);
  }
}

template <typename T, std::size_t to_pitch>
[[gnu::always_inline]] inline void Copy(int pixels, const std::uint8_t* from,
                                        std::size_t from_pitch, std::uint8_t* to) {
  if (pixels == 8) return CopyKnown<T, 8, to_pitch>(from, from_pitch, to);
  if (pixels == 7) return CopyKnown<T, 7, to_pitch>(from, from_pitch, to);
  for (int p = 0; p < pixels; ++p, from += from_pitch, to += to_pitch) {
    CopyKnown<T, 1, to_pitch>(from, from_pitch, to);
  }
}

// Writes the words under the windows of `pixels` pixels to their places in the patch, a T at a
// time; a T is a divisor of both a tap's words and a step. `window` is the first tap of the first.
template <typename T>
void GatherTile(const Geometry& geometry, const Depth& depth, const Band& band,
                const std::uint8_t* window, int pixels, std::uint8_t* patch) {
  constexpr std::size_t kPerStep = kStepBytes / sizeof(T);
  const Filter& filter = geometry.filter;
  const std::size_t tap_bytes = filter.WordsPerGroup() * kWordBytes;
  // Taps that lie side by side are read as one.
  const bool runs = geometry.x.dilation == 1 && filter.groups == 1;
  const int row_taps = runs ? 1 : filter.width;
  const std::size_t run_bytes = runs ? filter.width * tap_bytes : tap_bytes;
  const std::size_t tap_pitch = geometry.x.dilation * band.pixel_bytes;
  const std::size_t window_pitch = geometry.x.stride * band.pixel_bytes;
  const std::size_t step_pitch = pixels * kStepBytes;
  std::size_t index = 0;
  for (int fy = 0; fy < filter.height; ++fy, window += band.row_bytes) {
    const std::uint8_t* tap = window;
    for (int fx = 0; fx < row_taps; ++fx, tap += tap_pitch) {
      for (std::size_t byte = 0; byte < run_bytes; byte += sizeof(T), ++index) {
        const std::size_t step = index / kPerStep;
        if (kPerStep == 2 && index % 2 == 0 && step < depth.steps &&
            byte + kStepBytes <= run_bytes) {
          Copy<uint32x4_t, kStepBytes>(pixels, tap + byte, window_pitch, patch + step * step_pitch);
          byte += sizeof(T);
          ++index;
          continue;
        }
        std::uint8_t* place = patch + step * step_pitch + index % kPerStep * sizeof(T);
        if (sizeof(T) == kStepBytes || step < depth.steps) {
          Copy<T, kStepBytes>(pixels, tap + byte, window_pitch, place);
        } else {
          Copy<T, kStepBytes / 2>(pixels, tap + byte, window_pitch, place);
        }
      }
    }
  }
}

void Gather(const Geometry& geometry, const Depth& depth, const Band& band,
            const std::uint8_t* window, int pixels, std::uint8_t* patch) {
  const int tap_words = geometry.filter.WordsPerGroup();
  if (tap_words % 4 == 0) {
    return GatherTile<uint32x4_t>(geometry, depth, band, window, pixels, patch);
  }
  if (tap_words % 2 == 0) {
    return GatherTile<std::uint64_t>(geometry, depth, band, window, pixels, patch);
  }
  // An odd count of words leaves part of the last step unwritten, where the filter's bits are clear
  // too.
  if (depth.words % 2 != 0) {
    std::memset(patch + (depth.steps + depth.half - 1) * pixels * kStepBytes, 0,
                kTilePixels * kStepBytes);
  }
  GatherTile<std::uint32_t>(geometry, depth, band, window, pixels, patch);
}

// Where outputs go without counts in between, if they can.
class OutputPlaces {
 public:
  explicit OutputPlaces(const Call& call) : call_(call) {
    const OutputTransform& transform = call.transform;
    const Filter& filter = call.geometry.filter;
    // Counts are needed for pixels that are written again and for the end of a vector.
    if (call.geometry.zero_padding || filter.OutputsPerGroup() % kLanes != 0) return;
    if (transform.type == OutputType::kFloat && !transform.clamps) {
      functions_ = &TileFunctions::to_float;
    }
    // Of a last word that is not full the rest would stay as it was.
    if (transform.type == OutputType::kBitpacked && filter.channels_out % kWordBits == 0) {
      functions_ = &TileFunctions::to_bits;
    }
  }

  // Null where counts have to do.
  OutputFunction Function(const TileFunctions& functions, const Depth& depth, int pixels) const {
    return functions_ == nullptr ? nullptr : (functions.*functions_)[depth.half][pixels];
  }

  OutputPlace Of(int group, std::size_t pixel) const {
    const OutputTransform& transform = call_.transform;
    const std::size_t channels = call_.geometry.filter.channels_out;
    const std::size_t channel = std::size_t(group) * call_.geometry.filter.OutputsPerGroup();
    auto* output = static_cast<std::uint8_t*>(call_.output);
    if (transform.type == OutputType::kBitpacked) {
      const std::size_t pitch = channels / 8;
      return {nullptr, transform.threshold + channel, nullptr, output + pixel * pitch + channel / 8,
              pitch};
    }
    const std::size_t pitch = channels * sizeof(float);
    return {transform.multiplier + channel, nullptr, transform.bias + channel,
            output + pixel * pitch + channel * sizeof(float), pitch};
  }

 private:
  const Call& call_;
  OutputFunction (TileFunctions::*functions_)[2][kTilePixels + 1] = nullptr;
};

std::size_t CountsBytes(const Filter& filter) {
  // A tile of fewer pixels is read as if it had all.
  return (std::size_t(filter.groups) * VectorsPerGroup(filter) + 1) * kTilePixels * kLanes *
         sizeof(std::uint16_t);
}

}  // namespace

PackedFilter PackTiles(const Filter& filter, const std::uint32_t* source) {
  const Depth depth(filter);
  const int outputs = filter.OutputsPerGroup();
  const std::size_t vectors = VectorsPerGroup(filter);
  PackedFilter packed;
  packed.words = Buffer(filter.groups * vectors * depth.VectorBytes() / sizeof(std::uint64_t));
  packed.zero_tap = PackZeroTaps(filter, source);
  auto* bytes = reinterpret_cast<std::uint8_t*>(packed.words.data());
  for (int c = 0; c < filter.channels_out; ++c) {
    const int in_group = c % outputs;
    const auto* channel = reinterpret_cast<const std::uint8_t*>(source + c * depth.words);
    std::uint8_t* out = bytes + (c / outputs * vectors + in_group / kLanes) * depth.VectorBytes() +
                        in_group % kLanes * kStepBytes;
    std::size_t left = depth.words * sizeof *source;
    for (std::size_t step = 0; step < depth.steps + depth.half; ++step) {
      const std::size_t count = std::min(left, kStepBytes);
      std::memcpy(out, channel, count);
      if (step == depth.steps) std::memcpy(out + kStepBytes / 2, channel, count);
      channel += count;
      left -= count;
      out += kStepBytes * kTileChannels;
    }
  }
  return packed;
}

Workspace TiledWorkspace(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const std::size_t bytes = Depth(filter).PatchBytes() + CountsBytes(filter) +
                            filter.channels_out * sizeof(std::int32_t) +
                            filter.height * Band(geometry).row_bytes;
  return {0, (bytes + 7) / 8};
}

std::int64_t TiledUnits(const Geometry& geometry, int) { return geometry.OutputRows(); }

void RunTiled(const Call& call, const TileFunctions& functions, std::int64_t begin,
              std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const Depth depth(filter);
  const Band band(geometry);
  const Row row(geometry.x.output);
  const std::size_t vectors = VectorsPerGroup(filter);
  const std::size_t group_bytes = filter.WordsPerGroup() * kWordBytes;
  const OutputPlaces places(call);
  const auto* weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  auto* patch = reinterpret_cast<std::uint8_t*>(own);
  std::uint8_t* counts_bytes = patch + depth.PatchBytes();
  auto* counts = reinterpret_cast<std::uint16_t*>(counts_bytes);
  auto* d = reinterpret_cast<std::int32_t*>(counts_bytes + CountsBytes(filter));
  auto* rows = reinterpret_cast<std::uint8_t*>(d + filter.channels_out);
  for (std::int64_t unit = begin; unit < end; ++unit) {
    FillBand(call, band, unit / geometry.y.output, static_cast<int>(unit % geometry.y.output),
             rows);
    const std::uint8_t* window = rows;
    std::size_t pixel = unit * geometry.x.output;
    for (int tile = 0; tile < row.tiles; ++tile) {
      const int pixels = row.size + (tile < row.larger);
      const OutputFunction direct = places.Function(functions, depth, pixels);
      for (int group = 0; group < filter.groups; ++group) {
        Gather(geometry, depth, band, window + group * group_bytes, pixels, patch);
        const std::uint8_t* group_weights = weights + group * vectors * depth.VectorBytes();
        if (direct != nullptr) {
          direct(patch, group_weights, vectors, depth.steps, places.Of(group, pixel));
        } else {
          functions.count[depth.half][pixels](patch, group_weights, vectors, depth.steps,
                                              counts + group * vectors * pixels * kLanes);
        }
      }
      if (direct == nullptr) Store(call, {counts, pixel, pixels});
      if (geometry.zero_padding) StoreZeroPadded(call, {counts, pixel, pixels}, d);
      window += pixels * geometry.x.stride * band.pixel_bytes;
      pixel += pixels;
    }
  }
}

}  // namespace tfkit::bconv2d::neon
