#include "kernels/bconv2d/direct.h"

#include <algorithm>
#include <cstring>

#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d {
namespace {

// Output rows that share a band, which spares most rows from being copied once per filter row.
constexpr int kBandOutputRows = 8;

// A row of the band holds these pixels.
std::int64_t BandColumns(const WindowAxis& x) {
  return std::int64_t{x.output - 1} * x.stride + std::int64_t{x.filter - 1} * x.dilation + 1;
}

std::int64_t BandRows(const WindowAxis& y, int output_rows) {
  return std::int64_t{output_rows - 1} * y.stride + std::int64_t{y.filter - 1} * y.dilation + 1;
}

std::int64_t BandWords(const Geometry& geometry) {
  const int output_rows = std::min(kBandOutputRows, geometry.y.output);
  return BandRows(geometry.y, output_rows) * BandColumns(geometry.x) * geometry.InputWords();
}

// Sums of a tile's pixels, of all channels.
std::int64_t SumWords(const Geometry& geometry) {
  return std::int64_t{DirectKernel::kMaxTilePixels} * geometry.filter.channels_out;
}

BandLayout LayoutOf(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  const int words = filter.WordsPerGroup();
  BandLayout layout;
  layout.pixel = std::ptrdiff_t{geometry.x.stride} * geometry.InputWords();
  const std::ptrdiff_t band_row = BandColumns(geometry.x) * geometry.InputWords();
  layout.row = geometry.y.dilation * band_row;
  layout.down = geometry.y.stride * band_row;
  layout.tap = std::ptrdiff_t{geometry.x.dilation} * geometry.InputWords();
  layout.rows = filter.height;
  const bool side_by_side = layout.tap == words;
  layout.runs = side_by_side ? 1 : filter.width;
  layout.words = side_by_side ? filter.width * words : words;
  return layout;
}

// The rows under `output_rows` output rows of image n from oy on, clear bits outside the image.
void CopyBand(const Geometry& geometry, const std::uint32_t* input, std::int64_t n, int oy,
              int output_rows, std::uint32_t* band) {
  const int words = geometry.InputWords();
  const std::int64_t columns = BandColumns(geometry.x);
  const std::int64_t before = std::min<std::int64_t>(geometry.x.pad_before, columns);
  const std::int64_t inside = std::min<std::int64_t>(geometry.x.input, columns - before);
  const std::int64_t after = columns - before - inside;
  const auto clear = [&](std::int64_t pixels) {
    std::memset(band, 0, pixels * words * sizeof *band);
    band += pixels * words;
  };
  const int first = geometry.y.Pixel(oy, 0);
  const int rows = static_cast<int>(BandRows(geometry.y, output_rows));
  for (int y = first; y < first + rows; ++y) {
    if (!geometry.y.Inside(y)) {
      clear(columns);
      continue;
    }
    clear(before);
    const std::size_t pixel = (std::size_t(n) * geometry.y.input + y) * geometry.x.input;
    std::memcpy(band, input + pixel * words, inside * words * sizeof *band);
    band += inside * words;
    clear(after);
  }
}

int LanesOf(const DirectKernel& kernel, int channels) {
  return (channels + kernel.vector_channels - 1) / kernel.vector_channels * kernel.vector_channels;
}

// One output row after another, in strips.
class Rows {
 public:
  Rows(const DirectKernel& kernel, const Call& call, std::int32_t* d)
      : kernel_(kernel), call_(call), layout_(LayoutOf(call.geometry)), d_(d) {}

  // `band` lies under the row's windows.
  void Run(std::int64_t row, const std::uint32_t* band) {
    const Geometry& geometry = call_.geometry;
    band_ = band;
    oy_ = static_cast<int>(row % geometry.y.output);
    first_pixel_ = static_cast<std::size_t>(row) * geometry.x.output;
    // Bits of a tile can be stored as they are where its channels start with a word.
    const bool transformed = call_.transform.type != OutputType::kBitpacked ||
                             geometry.filter.groups == 1 ||
                             geometry.filter.OutputsPerGroup() % kWordBits == 0;
    if (transformed) {
      Channels(0, geometry.x.output, nullptr);
      return;
    }
    for (int ox = 0; ox < geometry.x.output; ox += kernel_.tile_pixels) {
      const int pixels = std::min(kernel_.tile_pixels, geometry.x.output - ox);
      Channels(ox, ox + pixels, d_);
      StorePixels(call_.transform, d_, geometry.filter.channels_out, first_pixel_ + ox, pixels,
                  call_.output);
    }
  }

  const BandLayout& layout() const { return layout_; }

 private:
  // All channels of the pixels [begin, end); a tile's weights meet all pixels before the next
  // tile's.
  void Channels(int begin, int end, std::int32_t* d) {
    const Filter& filter = call_.geometry.filter;
    const std::size_t depth = std::size_t(filter.Taps()) * filter.WordsPerGroup();
    DirectStrip strip;
    strip.weights = reinterpret_cast<const std::uint32_t*>(call_.weights);
    for (int group = 0; group < filter.groups; ++group) {
      const std::uint32_t* group_band = band_ + group * filter.WordsPerGroup();
      for (int c = 0; c < filter.OutputsPerGroup(); c += kernel_.tile_channels) {
        strip.channel = group * filter.OutputsPerGroup() + c;
        strip.channels = std::min(kernel_.tile_channels, filter.OutputsPerGroup() - c);
        strip.d = d ? d + strip.channel : nullptr;
        for (int ox = begin; ox < end; ox += strip.pixels) {
          strip.band = group_band + ox * layout_.pixel;
          strip.pixel = first_pixel_ + ox;
          strip.pixels = Length(ox, end);
          strip.correction = Correction(strip, ox);
          kernel_.strip(call_, layout_, strip);
        }
        strip.weights += depth * LanesOf(kernel_, strip.channels);
      }
    }
  }

  bool TileTouchesPadding(int ox, int end) const {
    for (int p = ox; p < std::min(ox + kernel_.tile_pixels, end); ++p) {
      if (TouchesPadding(call_.geometry, oy_, p)) return true;
    }
    return false;
  }

  // Pixels of the strip from ox on: one tile where padding has to be corrected, else all tiles up
  // to the next such one.
  int Length(int ox, int end) const {
    if (!call_.geometry.zero_padding) return end - ox;
    int next = ox + kernel_.tile_pixels;
    if (!TileTouchesPadding(ox, end)) {
      while (next < end && !TileTouchesPadding(next, end)) next += kernel_.tile_pixels;
    }
    return std::min(next, end) - ox;
  }

  const std::int32_t* Correction(const DirectStrip& strip, int ox) {
    if (!call_.geometry.zero_padding || !TileTouchesPadding(ox, ox + strip.pixels)) return nullptr;
    std::memset(correction_, 0, sizeof correction_);
    for (int p = 0; p < strip.pixels; ++p) {
      AddZeroTaps(call_, oy_, ox + p, strip.channel, strip.channels,
                  correction_ + p * kernel_.tile_channels);
    }
    return correction_;
  }

  const DirectKernel& kernel_;
  const Call& call_;
  const BandLayout layout_;
  std::int32_t* const d_;
  const std::uint32_t* band_ = nullptr;
  int oy_ = 0;
  std::size_t first_pixel_ = 0;
  std::int32_t correction_[DirectKernel::kMaxTilePixels * DirectKernel::kMaxTileChannels];
};

}  // namespace

Fit DirectFit(const Geometry& geometry) {
  // Far dilated taps of an untrusted model; the divisions avoid a product that overflows.
  constexpr std::int64_t kMaxBandWords = std::int64_t{1} << 24;
  const std::int64_t rows = BandRows(geometry.y, std::min(kBandOutputRows, geometry.y.output));
  const std::int64_t room = kMaxBandWords / geometry.InputWords();
  const bool fits = rows <= room && BandColumns(geometry.x) <= room / rows;
  return fits ? Fit::kSuits : Fit::kCannot;
}

PackedFilter PackDirect(const DirectKernel& kernel, const Filter& filter,
                        const std::uint32_t* source) {
  const std::size_t depth = std::size_t(filter.Taps()) * filter.WordsPerGroup();
  const int outputs = filter.OutputsPerGroup();
  std::size_t group_lanes = 0;
  for (int c = 0; c < outputs; c += kernel.tile_channels) {
    group_lanes += LanesOf(kernel, std::min(kernel.tile_channels, outputs - c));
  }
  PackedFilter packed;
  packed.words = Buffer((filter.groups * group_lanes * depth + 1) / 2);
  packed.zero_tap = PackZeroTaps(filter, source);
  auto* out = reinterpret_cast<std::uint32_t*>(packed.words.data());
  for (int group = 0; group < filter.groups; ++group) {
    for (int first = 0; first < outputs; first += kernel.tile_channels) {
      const int channels = std::min(kernel.tile_channels, outputs - first);
      const int lanes = LanesOf(kernel, channels);
      const std::uint32_t* tile = source + (std::size_t(group) * outputs + first) * depth;
      for (std::size_t k = 0; k < depth; ++k, out += lanes) {
        for (int c = 0; c < channels; ++c) out[c] = tile[c * depth + k];
      }
    }
  }
  return packed;
}

Workspace DirectWorkspace(const Geometry& geometry) {
  const std::size_t band = AlignedWords((BandWords(geometry) + 1) / 2);
  return {0, band + (SumWords(geometry) + 1) / 2};
}

std::int64_t DirectUnits(const Geometry& geometry, int) { return geometry.OutputRows(); }

void RunDirect(const DirectKernel& kernel, const Call& call, std::int64_t begin, std::int64_t end,
               std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  auto* band = reinterpret_cast<std::uint32_t*>(own);
  auto* d = reinterpret_cast<std::int32_t*>(own + AlignedWords((BandWords(geometry) + 1) / 2));
  Rows rows(kernel, call, d);
  while (begin < end) {
    const std::int64_t n = begin / geometry.y.output;
    const int oy = static_cast<int>(begin % geometry.y.output);
    const std::int64_t left = std::min<std::int64_t>(end - begin, geometry.y.output - oy);
    const int count = static_cast<int>(std::min<std::int64_t>(kBandOutputRows, left));
    CopyBand(geometry, call.input, n, oy, count, band);
    for (int i = 0; i < count; ++i) rows.Run(begin + i, band + i * rows.layout().down);
    begin += count;
  }
}

}  // namespace tfkit::bconv2d
