#include "kernels/kbit_conv2d/neon_serial.h"

#include <arm_neon.h>

#include <cstring>
#include <utility>

#include "kernels/kbit_conv2d/neon_outputs.h"
#include "kernels/kbit_conv2d/neon_rows.h"
#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

constexpr std::size_t kStepBytes = 16;
constexpr std::size_t kWordBytes = sizeof(std::uint32_t);

// The words of one plane under one window, cut into steps, as bconv2d/neon_tiled.cc has them.
struct Depth {
  std::size_t words;
  std::size_t steps;  // of 128 bits
  bool half;          // and one of 64

  explicit Depth(const Filter& filter)
      : words(std::size_t(filter.Taps()) * filter.PlaneWords()),
        steps((words + 1) / 4),
        half(words % 4 == 1 || words % 4 == 2) {}

  std::size_t PatchBytes() const { return (steps + half) * kStepBytes * kTilePixels; }
};

// The thread's scratch; offsets in bytes.
struct Scratch {
  std::size_t patch, counts, sums, outputs, band, end;

  Scratch(const Geometry& geometry, const Columns& columns) {
    const Filter& filter = geometry.filter;
    const std::size_t count_numbers =
        std::size_t(filter.weights.planes) * Vectors(filter) * kTilePixels * kLanes;
    patch = 0;
    counts = AlignedBytes(Depth(filter).PatchBytes());
    sums = counts + AlignedBytes(filter.activations.planes * count_numbers * sizeof(std::uint16_t));
    outputs = sums + AlignedBytes(SumsBytes(filter, kTilePixels));
    band = outputs + AlignedBytes(Outputs::ScratchBytes(geometry));
    end = band + Band::ScratchBytes(geometry, columns, BitRowBytes(filter, columns));
  }
};

// One T of each of `pixels` pixels, eight at most.
template <typename T, std::size_t to_pitch>
[[gnu::always_inline]] inline void Copy(int pixels, const std::uint8_t* from,
                                        std::size_t from_pitch, std::uint8_t* to) {
  const auto copy = [&](int p) {
    T value;
    std::memcpy(&value, from + p * from_pitch, sizeof value);
    std::memcpy(to + p * to_pitch, &value, sizeof value);
  };
  if (pixels == 8) {
#pragma GCC unroll 8
    for (int p = 0; p < 8; ++p) copy(p);
  } else if (pixels == 7) {
#pragma GCC unroll 7
    for (int p = 0; p < 7; ++p) copy(p);
  } else {
    for (int p = 0; p < pixels; ++p) copy(p);
  }
}

// Puts the words of one plane under the windows of `pixels` pixels to their places in the patch, a
// T at a time; a T is a divisor of a tap's words. `rows` are the first tap's of each filter row.
template <typename T>
void GatherPlane(const Geometry& geometry, const Depth& depth, const std::uint8_t* const* rows,
                 std::size_t offset, int pixels, std::uint8_t* patch) {
  constexpr std::size_t kPerStep = kStepBytes / sizeof(T);
  const Filter& filter = geometry.filter;
  const std::size_t tap_bytes = filter.PlaneWords() * kWordBytes;
  // Taps that lie side by side are read as one.
  const bool runs = geometry.x.dilation == 1;
  const int row_taps = runs ? 1 : filter.width;
  const std::size_t run_bytes = runs ? filter.width * tap_bytes : tap_bytes;
  const std::size_t window_pitch = geometry.x.stride * tap_bytes;
  const std::size_t step_pitch = pixels * kStepBytes;
  std::size_t index = 0;
  for (int fy = 0; fy < filter.height; ++fy) {
    const std::uint8_t* tap = rows[fy] + offset;
    for (int fx = 0; fx < row_taps; ++fx, tap += geometry.x.dilation * tap_bytes) {
      for (std::size_t byte = 0; byte < run_bytes; byte += sizeof(T), ++index) {
        const std::size_t step = index / kPerStep;
        std::uint8_t* place = patch + step * step_pitch + index % kPerStep * sizeof(T);
        if (step == depth.steps) {
          Copy<T, kStepBytes / 2>(pixels, tap + byte, window_pitch, place);
        } else if (kPerStep == 2 && index % 2 == 0 && byte + kStepBytes <= run_bytes) {
          Copy<uint32x4_t, kStepBytes>(pixels, tap + byte, window_pitch, place);
          byte += sizeof(T);
          ++index;
        } else {
          Copy<T, kStepBytes>(pixels, tap + byte, window_pitch, place);
        }
      }
    }
  }
}

void Gather(const Geometry& geometry, const Depth& depth, const std::uint8_t* const* rows,
            std::size_t offset, int pixels, std::uint8_t* patch) {
  if (geometry.filter.PlaneWords() % 2 == 0) {
    return GatherPlane<std::uint64_t>(geometry, depth, rows, offset, pixels, patch);
  }
  // Where the words leave part of the last step unwritten, the filter's bits are clear too.
  if (depth.words % 2 != 0) {
    std::memset(patch + (depth.steps + depth.half - 1) * pixels * kStepBytes, 0,
                pixels * kStepBytes);
  }
  GatherPlane<std::uint32_t>(geometry, depth, rows, offset, pixels, patch);
}

// Adds the counts up, one pair of planes or, if they make one integer, all of them.
struct Counts {
  const std::uint16_t* data;  // [activation planes][vectors][weight planes][pixels][kLanes]
  std::size_t plane;          // numbers of an activation plane
  int pixels;
};

template <int planes>
void Combine(const Filter& filter, const Counts& counts, std::int32_t* sums) {
  const int multiplier = Multiplier(filter);
  const std::size_t pitch = std::size_t(counts.pixels) * kLanes;
  const std::uint16_t* data = counts.data;
  for (int v = 0; v < Vectors(filter); ++v, data += filter.weights.planes * pitch) {
    for (int p = 0; p < counts.pixels; ++p, sums += kLanes) {
      uint32x4_t low = vdupq_n_u32(0);
      uint32x4_t high = vdupq_n_u32(0);
      const std::uint16_t* at = data + p * kLanes;
      for (int i = 0; i < filter.weights.planes; ++i, at += pitch) {
#pragma GCC unroll 4
        for (int j = 0; j < planes; ++j) {
          const uint16x8_t count = vld1q_u16(at + j * counts.plane);
          const uint16x8_t weight = vdupq_n_u16(static_cast<std::uint16_t>(multiplier << (i + j)));
          low = vmlsl_u16(low, vget_low_u16(count), vget_low_u16(weight));
          high = vmlsl_high_u16(high, count, weight);
        }
      }
      vst1q_s32(sums, vreinterpretq_s32_u32(low));
      vst1q_s32(sums + 4, vreinterpretq_s32_u32(high));
    }
  }
}

void CombineBases(const Filter& filter, const Counts& counts, std::int32_t* sums) {
  const int multiplier = Multiplier(filter);
  const std::size_t pitch = std::size_t(counts.pixels) * kLanes;
  for (int i = 0; i < filter.weights.planes; ++i) {
    for (int j = 0; j < filter.activations.planes; ++j) {
      const std::uint16_t* at = counts.data + j * counts.plane + i * pitch;
      for (int v = 0; v < Vectors(filter); ++v, at += filter.weights.planes * pitch) {
        for (std::size_t n = 0; n < pitch; ++n) *sums++ = -multiplier * at[n];
      }
    }
  }
}

void Combine(const Filter& filter, const Counts& counts, std::int32_t* sums) {
  if (filter.bases) return CombineBases(filter, counts, sums);
  switch (filter.activations.planes) {
    case 1:
      return Combine<1>(filter, counts, sums);
    case 2:
      return Combine<2>(filter, counts, sums);
    case 3:
      return Combine<3>(filter, counts, sums);
    case 4:
      return Combine<4>(filter, counts, sums);
  }
}

}  // namespace

bool SerialCan(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const Columns columns(geometry, geometry.x.output);
  return std::int64_t{filter.Taps()} * filter.PlaneWords() * kWordBits <= 0xffff &&
         BandFits(geometry, columns, filter.InputWords() * kWordBytes);
}

PackedFilter PackSerial(const Filter& filter, const std::uint32_t* stored) {
  const int planes = filter.weights.planes;
  const int words = filter.PlaneWords();
  bconv2d::Filter tiles;
  tiles.channels_in = filter.channels_in;
  tiles.channels_out = Vectors(filter) * planes * kLanes;
  tiles.height = filter.height;
  tiles.width = filter.width;
  const std::size_t channel_words = std::size_t(filter.Taps()) * words;
  Buffer aligned((tiles.channels_out * channel_words + 1) / 2);
  auto* out = reinterpret_cast<std::uint32_t*>(aligned.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      std::uint32_t* place =
          out + ((std::size_t(channel) / kLanes * planes + plane) * kLanes + channel % kLanes) *
                    channel_words;
      for (int tap = 0; tap < filter.Taps(); ++tap, place += words) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          place[c / kWordBits] |= (stored[at / kWordBits] >> (at % kWordBits) & 1u)
                                  << (c % kWordBits);
        }
      }
    }
  }
  PackedFilter packed;
  packed.words = std::move(bconv2d::neon::PackTiles(tiles, out).words);
  packed.tap_bits = PackFilterSums(filter, stored);
  return packed;
}

Workspace SerialWorkspace(const Geometry& geometry) {
  return {0, Scratch(geometry, Columns(geometry, geometry.x.output)).end / sizeof(std::uint64_t)};
}

void RunSerial(const Call& call, const bconv2d::neon::TileFunctions& functions, std::int64_t begin,
               std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const Depth depth(filter);
  const Columns columns(geometry, geometry.x.output);
  const Scratch scratch(geometry, columns);
  auto* bytes = reinterpret_cast<std::uint8_t*>(own);
  std::uint8_t* patch = bytes + scratch.patch;
  auto* counts = reinterpret_cast<std::uint16_t*>(bytes + scratch.counts);
  auto* sums = reinterpret_cast<std::int32_t*>(bytes + scratch.sums);
  Outputs outputs(call, Counted::kDifferences, bytes + scratch.outputs);
  Band band(geometry, columns, BitRowBytes(filter, columns), bytes + scratch.band);
  const std::size_t vectors = std::size_t(Vectors(filter)) * filter.weights.planes;
  const std::size_t plane_bytes = columns.count * filter.PlaneWords() * kWordBytes;
  const std::size_t pixel_bytes = std::size_t(geometry.x.stride) * filter.PlaneWords() * kWordBytes;
  const auto* weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  const int width = geometry.x.output;
  const int tiles = (width + kTilePixels - 1) / kTilePixels;
  for (std::int64_t row = begin; row < end; ++row) {
    band.MoveTo(row, [&](std::int64_t n, int y, std::uint8_t* to, std::int32_t* bits) {
      auto* words = reinterpret_cast<std::uint32_t*>(to);
      PutBitRow(call, columns, n, y, words);
      CountBits(filter, columns, words, bits);
    });
    outputs.BeginRow(row, band.counts());
    int x = 0;
    for (int tile = tiles; tile > 0; --tile) {
      // As even as possible: 28 pixels are 4 x 7, not 3 x 8 + 4.
      const int pixels = (width - x + tile - 1) / tile;
      const Counts counted = {counts, vectors * pixels * kLanes, pixels};
      for (int j = 0; j < filter.activations.planes; ++j) {
        Gather(geometry, depth, band.rows(), j * plane_bytes + x * pixel_bytes, pixels, patch);
        functions.count[depth.half][pixels](patch, weights, vectors, depth.steps,
                                            counts + j * counted.plane);
      }
      Combine(filter, counted, sums);
      outputs.Put(x, pixels, pixels, sums);
      x += pixels;
    }
  }
}

}  // namespace tfkit::kbit_conv2d::neon
