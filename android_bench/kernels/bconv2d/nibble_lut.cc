#include "kernels/bconv2d/nibble_lut.h"

#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d {
namespace {

constexpr int kNibbleBits = 4;

int Blocks(const Filter& filter) {
  return (filter.OutputsPerGroup() + kLutChannels - 1) / kLutChannels;
}

}  // namespace

LutLayout LutLayoutOf(const Geometry& geometry) {
  const WindowAxis& y = geometry.y;
  const WindowAxis& x = geometry.x;
  LutLayout layout;
  layout.paired_rows = (y.output + 1) / 2;
  layout.pair_step = std::int64_t{layout.paired_rows} * y.stride;
  layout.rows =
      std::int64_t{layout.paired_rows - 1} * y.stride + std::int64_t{y.filter - 1} * y.dilation + 1;
  layout.columns =
      std::int64_t{x.output - 1} * x.stride + std::int64_t{x.filter - 1} * x.dilation + 1;
  layout.pixel_nibbles = std::int64_t{geometry.InputWords()} * kNibblesPerWord;
  return layout;
}

Fit LutFit(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  if (!filter.CountsFit16Bits()) return Fit::kCannot;
  // Bits of a block of channels are stored as whole words.
  if (filter.groups > 1 && filter.OutputsPerGroup() % kWordBits != 0) return Fit::kCannot;
  constexpr std::int64_t kMaxTables = std::int64_t{1} << 20;  // 16 MiB
  const LutLayout layout = LutLayoutOf(geometry);
  const std::int64_t room = kMaxTables / geometry.batch / layout.pixel_nibbles;
  if (layout.rows > room || layout.columns > room / layout.rows) return Fit::kCannot;

  // Building a table costs about as much as looking it up for 32 channels.
  const std::int64_t lookups = std::int64_t{filter.Taps()} * filter.OutputsPerGroup();
  const std::int64_t tables = std::int64_t{geometry.y.stride} * geometry.x.stride;
  const bool pays =
      lookups >= 64 * tables && filter.OutputsPerGroup() >= kLutChannels && geometry.y.output > 1;
  return pays ? Fit::kSuits : Fit::kCan;
}

PackedFilter PackLut(const Filter& filter, const std::uint32_t* source) {
  const std::size_t words = std::size_t(filter.Taps()) * filter.WordsPerGroup();
  const std::size_t block_bytes = words * kNibblesPerWord * kLutChannels;
  const int outputs = filter.OutputsPerGroup();
  PackedFilter packed;
  packed.words = Buffer(filter.groups * Blocks(filter) * block_bytes / sizeof(std::uint64_t));
  packed.zero_tap = PackZeroTaps(filter, source);
  auto* bytes = reinterpret_cast<std::uint8_t*>(packed.words.data());
  for (int c = 0; c < filter.channels_out; ++c) {
    const int in_group = c % outputs;
    const std::size_t block = std::size_t(c / outputs) * Blocks(filter) + in_group / kLutChannels;
    const int lane = in_group % kLutChannels;
    std::uint8_t* out = bytes + block * block_bytes + lane % 16 * 2 + lane / 16;
    for (std::size_t w = 0; w < words; ++w) {
      std::uint32_t word = *source++;
      for (int n = 0; n < kNibblesPerWord; ++n, word >>= kNibbleBits, out += kLutChannels) {
        *out = word & 0xf;
      }
    }
  }
  return packed;
}

Workspace LutWorkspace(const Geometry& geometry) {
  const LutLayout layout = LutLayoutOf(geometry);
  const std::size_t tables = geometry.batch * layout.rows * layout.columns * layout.pixel_nibbles;
  return {tables * kTableBytes / sizeof(std::uint64_t), 0};
}

std::int64_t LutUnits(const Geometry& geometry, int stage) {
  const LutLayout layout = LutLayoutOf(geometry);
  return geometry.batch * (stage == 0 ? layout.rows : layout.paired_rows);
}

}  // namespace tfkit::bconv2d
