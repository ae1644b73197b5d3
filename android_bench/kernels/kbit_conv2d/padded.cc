#include "kernels/kbit_conv2d/padded.h"

#include <algorithm>

namespace tfkit::kbit_conv2d {
namespace {

// Windows start so far apart and reach so far.
std::int64_t Extent(const WindowAxis& axis) {
  return std::int64_t{axis.output - 1} * axis.stride +
         std::int64_t{axis.filter - 1} * axis.dilation + 1;
}

int TapsInside(const WindowAxis& axis, int window) {
  int taps = 0;
  for (int tap = 0; tap < axis.filter; ++tap) taps += axis.Inside(axis.Pixel(window, tap));
  return taps;
}

}  // namespace

PaddedImage PaddedOf(const Geometry& geometry) {
  PaddedImage image;
  image.rows = Extent(geometry.y);
  image.columns = Extent(geometry.x);
  image.pixels = geometry.batch * image.rows * image.columns;
  return image;
}

Fit PaddedFit(const Geometry& geometry, std::int64_t pixel_bytes) {
  constexpr std::int64_t kMaxBytes = std::int64_t{1} << 26;
  const std::int64_t room = kMaxBytes / geometry.batch / pixel_bytes;
  const std::int64_t rows = Extent(geometry.y);
  return rows <= room && Extent(geometry.x) <= room / rows ? Fit::kSuits : Fit::kCannot;
}

Walk WalkOf(const Geometry& geometry, std::ptrdiff_t pixel_bytes) {
  const bool side_by_side = geometry.x.dilation == 1;
  Walk walk;
  walk.pixel = geometry.x.stride * pixel_bytes;
  walk.row = geometry.y.dilation * Extent(geometry.x) * pixel_bytes;
  walk.tap = geometry.x.dilation * pixel_bytes;
  walk.rows = geometry.filter.height;
  walk.runs = side_by_side ? 1 : geometry.filter.width;
  walk.taps = side_by_side ? geometry.filter.width : 1;
  return walk;
}

std::size_t RowStart(const Geometry& geometry, std::int64_t row, std::ptrdiff_t pixel_bytes) {
  const PaddedImage image = PaddedOf(geometry);
  const std::int64_t padded_row =
      row / geometry.y.output * image.rows + row % geometry.y.output * geometry.y.stride;
  return padded_row * image.columns * pixel_bytes;
}

PaddedRow PaddedRowOf(const Call& call, std::int64_t unit, std::uint32_t* padding) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const PaddedImage image = PaddedOf(geometry);
  const std::int64_t y = unit % image.rows - geometry.y.pad_before;
  PaddedRow row;
  row.words = filter.InputWords();
  row.before = geometry.x.pad_before;
  row.after = row.before + geometry.x.input;
  row.padding = padding;
  if (y >= 0 && y < geometry.y.input) {
    const std::int64_t n = unit / image.rows;
    row.inside = call.input + (n * geometry.y.input + y) * geometry.x.input * filter.InputWords();
  }
  for (int j = 0; j < filter.activations.planes; ++j) {
    const bool set = geometry.pad_bits >= 0 && (geometry.pad_bits >> j & 1);
    std::fill_n(padding + std::size_t(j) * filter.PlaneWords(), filter.PlaneWords(),
                set ? ~std::uint32_t{0} : 0);
  }
  return row;
}

void WindowTerms(const Call& call, std::int64_t row, const std::int32_t* pixel_sums,
                 std::int32_t* out) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const int count = PixelSums(filter);
  if (filter.weights.lowest == 0) {
    std::fill_n(out, std::size_t(geometry.x.output) * count, 0);
    return;
  }
  const Walk walk = WalkOf(geometry, count);  // of a pixel's sums instead of bytes
  const std::int32_t* sums = pixel_sums + RowStart(geometry, row, count);
  const int elements = geometry.x.output * count;
  std::fill_n(out, elements, 0);
  for (int fy = 0; fy < filter.height; ++fy) {
    const std::int32_t* tap = sums + fy * walk.row;
    for (int fx = 0; fx < filter.width; ++fx, tap += geometry.x.dilation * count) {
      if (geometry.x.stride == 1) {
        for (int i = 0; i < elements; ++i) out[i] += tap[i];
        continue;
      }
      for (int ox = 0; ox < geometry.x.output; ++ox) {
        for (int j = 0; j < count; ++j) out[ox * count + j] += tap[ox * walk.pixel + j];
      }
    }
  }
  const std::int32_t scale = filter.weights.lowest * filter.activations.step;
  for (int i = 0; i < elements; ++i) out[i] *= scale;
  if (filter.activations.lowest == 0) return;
  const std::int32_t each = filter.weights.lowest * filter.activations.lowest * filter.channels_in;
  const bool all = geometry.pad_bits >= 0;
  const int rows_inside =
      all ? filter.height : TapsInside(geometry.y, static_cast<int>(row % geometry.y.output));
  for (int ox = 0; ox < geometry.x.output; ++ox) {
    const int taps = rows_inside * (all ? filter.width : TapsInside(geometry.x, ox));
    for (int j = 0; j < count; ++j) out[ox * count + j] += each * taps;
  }
}

Buffer PackFilterSums(const Filter& filter, const std::uint32_t* stored) {
  const std::size_t row = FilterSums(filter) * PaddedChannels(filter.channels_out);
  Buffer packed(((filter.Taps() + std::size_t{1}) * row + 1) / 2);
  auto* sums = reinterpret_cast<std::int32_t*>(packed.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < filter.weights.planes; ++plane) {
    const int weight = filter.bases ? 1 : 1 << plane;
    const std::size_t first = filter.bases ? plane * PaddedChannels(filter.channels_out) : 0;
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        std::int32_t bits = 0;
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          bits += stored[at / kWordBits] >> (at % kWordBits) & 1u;
        }
        sums[tap * row + first + channel] += weight * bits;
        sums[filter.Taps() * row + first + channel] += weight * bits;
      }
    }
  }
  return packed;
}

WindowFilterSums FilterSumsOf(const Call& call, int oy, int ox, int first, std::int32_t* scratch) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  if (filter.activations.lowest == 0) return {nullptr, 0};
  const std::size_t padded = PaddedChannels(filter.channels_out);
  const std::size_t row = FilterSums(filter) * padded;
  const bool all = geometry.pad_bits >= 0 || (TapsInside(geometry.y, oy) == filter.height &&
                                              TapsInside(geometry.x, ox) == filter.width);
  if (all) return {call.tap_bits + filter.Taps() * row + first, padded};
  const std::size_t channels = std::min<std::size_t>(kTileChannels, padded - first);
  for (int i = 0; i < FilterSums(filter); ++i) {
    std::int32_t* sums = scratch + std::size_t(i) * kTileChannels;
    std::fill_n(sums, channels, 0);
    for (int fy = 0; fy < filter.height; ++fy) {
      if (!geometry.y.Inside(geometry.y.Pixel(oy, fy))) continue;
      for (int fx = 0; fx < filter.width; ++fx) {
        if (!geometry.x.Inside(geometry.x.Pixel(ox, fx))) continue;
        const std::int32_t* bits =
            call.tap_bits + (std::size_t(fy) * filter.width + fx) * row + i * padded + first;
        for (std::size_t c = 0; c < channels; ++c) sums[c] += bits[c];
      }
    }
  }
  return {scratch, kTileChannels};
}

namespace {

// Words of a thread's parts: padding, terms and sums of filters.
struct OwnWords {
  explicit OwnWords(const Geometry& geometry)
      : padding(Words(geometry.filter.InputWords())),
        terms(Words(std::int64_t{geometry.x.output} * PixelSums(geometry.filter))),
        sums(Words(std::int64_t{kMaxTilePixels} * FilterSums(geometry.filter) * kTileChannels)) {}

  static std::size_t Words(std::int64_t elements) { return AlignedWords((elements + 1) / 2); }

  std::size_t padding;
  std::size_t terms;
  std::size_t sums;
};

std::size_t ImageWords(const Geometry& geometry, std::int64_t pixel_bytes) {
  return AlignedWords((PaddedOf(geometry).pixels * pixel_bytes + 7) / 8);
}

}  // namespace

Workspace PaddedWorkspace(const Geometry& geometry, std::int64_t pixel_bytes) {
  const OwnWords own(geometry);
  const std::int64_t sums = PaddedOf(geometry).pixels * PixelSums(geometry.filter);
  return {ImageWords(geometry, pixel_bytes) + OwnWords::Words(sums),
          own.padding + own.terms + own.sums};
}

PaddedScratch ScratchOf(const Call& call, std::int64_t pixel_bytes, std::uint64_t* own) {
  const OwnWords words(call.geometry);
  PaddedScratch scratch;
  scratch.image = reinterpret_cast<std::uint8_t*>(call.shared);
  scratch.pixel_sums =
      reinterpret_cast<std::int32_t*>(call.shared + ImageWords(call.geometry, pixel_bytes));
  scratch.padding = reinterpret_cast<std::uint32_t*>(own);
  scratch.window_terms = reinterpret_cast<std::int32_t*>(own + words.padding);
  scratch.filter_sums = reinterpret_cast<std::int32_t*>(own + words.padding + words.terms);
  return scratch;
}

std::int64_t PaddedUnits(const Geometry& geometry, int stage) {
  return stage == 0 ? geometry.batch * PaddedOf(geometry).rows : geometry.OutputRows();
}

}  // namespace tfkit::kbit_conv2d
