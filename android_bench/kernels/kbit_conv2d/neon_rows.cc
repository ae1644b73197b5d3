#include "kernels/kbit_conv2d/neon_rows.h"

#include <arm_neon.h>

#include <cstring>

namespace tfkit::kbit_conv2d::neon {
namespace {

constexpr std::int64_t kNobody = -1;

// Names a row by its image and its number, which is negative above the image.
std::int64_t Owner(std::int64_t n, int y) { return (n << 32) + static_cast<std::uint32_t>(y); }

// The bits of the last word that belong to channels.
std::uint32_t LastBits(int channels) {
  return channels % kWordBits ? (std::uint32_t{1} << (channels % kWordBits)) - 1 : ~0u;
}

// Set bits of one plane of a pixel.
std::int32_t Set(const std::uint32_t* words, int count) {
  std::int32_t set = 0;
  for (; count >= 2; count -= 2, words += 2) {
    set += vaddv_u8(vcnt_u8(vreinterpret_u8_u32(vld1_u32(words))));
  }
  return count > 0 ? set + __builtin_popcount(*words) : set;
}

}  // namespace

std::int64_t RowUnits(const Geometry& geometry, int) { return geometry.OutputRows(); }

void PutBitRow(const Call& call, const Columns& columns, std::int64_t n, int y,
               std::uint32_t* row) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const int words = filter.PlaneWords();
  const int planes = filter.activations.planes;
  const std::uint32_t last = LastBits(filter.channels_in);
  const std::size_t count = columns.count;
  const std::size_t before = geometry.x.pad_before;
  const bool inside = geometry.y.Inside(y);
  std::size_t image = 0;  // columns that show it
  if (inside && count > before) {
    image = count - before < std::size_t(geometry.x.input) ? count - before : geometry.x.input;
  }
  const std::uint32_t* source =
      call.input + (std::size_t(n) * geometry.y.input + (inside ? y : 0)) * geometry.x.input *
                       std::size_t(filter.InputWords());
  for (int j = 0; j < planes; ++j) {
    const bool pad = geometry.pad_bits >= 0 && (geometry.pad_bits >> j & 1) != 0;
    const auto pad_pixels = [&](std::size_t pixels, std::uint32_t* out) {
      std::memset(out, pad ? 0xff : 0, pixels * words * sizeof *out);
      if (!pad || last == ~0u) return;
      for (std::size_t p = 1; p <= pixels; ++p) out[p * words - 1] = last;
    };
    const std::size_t left = image > 0 ? before : count;
    pad_pixels(left, row);
    row += left * words;
    if (image == 0) continue;
    const std::uint32_t* in = source + j * words;
    if (words == 2 && last == ~0u) {  // as most often
      for (std::size_t p = 0; p < image; ++p, in += 2 * planes, row += 2) std::memcpy(row, in, 8);
    } else {
      for (std::size_t p = 0; p < image; ++p, in += words * planes, row += words) {
        std::memcpy(row, in, words * sizeof *row);
        row[words - 1] &= last;
      }
    }
    pad_pixels(count - before - image, row);
    row += (count - before - image) * words;
  }
}

void CountBits(const Filter& filter, const Columns& columns, const std::uint32_t* row,
               std::int32_t* counts) {
  const int words = filter.PlaneWords();
  const int terms = WindowTerms(filter);
  const std::size_t plane_words = columns.count * words;
  for (std::size_t column = 0; column < columns.count; ++column, row += words, counts += terms) {
    if (filter.bases) {
      for (int j = 0; j < terms; ++j) counts[j] = Set(row + j * plane_words, words);
      continue;
    }
    std::int32_t sum = 0;
    for (int j = 0; j < filter.activations.planes; ++j) {
      sum += Set(row + j * plane_words, words) << j;
    }
    *counts = sum;
  }
}

std::size_t Band::ScratchBytes(const Geometry& geometry, const Columns& columns,
                               std::size_t row_bytes) {
  const std::size_t height = geometry.filter.height;
  const std::size_t counts = columns.count * WindowTerms(geometry.filter) * sizeof(std::int32_t);
  return AlignedBytes((3 * height + 1) * sizeof(std::int64_t)) +
         height * (AlignedBytes(row_bytes) + AlignedBytes(counts));
}

Band::Band(const Geometry& geometry, const Columns& columns, std::size_t row_bytes,
           std::uint8_t* scratch)
    : geometry_(geometry),
      row_bytes_(AlignedBytes(row_bytes)),
      count_bytes_(
          AlignedBytes(columns.count * WindowTerms(geometry.filter) * sizeof(std::int32_t))) {
  const std::size_t height = geometry.filter.height;
  owners_ = reinterpret_cast<std::int64_t*>(scratch);
  counts_ = reinterpret_cast<const std::int32_t**>(owners_ + height);
  rows_ = reinterpret_cast<const std::uint8_t**>(counts_ + height);
  slots_ = scratch + AlignedBytes((3 * height + 1) * sizeof(std::int64_t));
  for (std::size_t slot = 0; slot < height; ++slot) owners_[slot] = kNobody;
}

int Band::Find(std::int64_t n, int oy, int fy, bool& fresh) {
  const int slots = geometry_.filter.height;
  const std::int64_t owner = Owner(n, geometry_.y.Pixel(oy, fy));
  fresh = false;
  for (int slot = 0; slot < slots; ++slot) {
    if (owners_[slot] == owner) return slot;
  }
  fresh = true;
  for (int slot = 0;; ++slot) {
    bool needed = false;
    for (int i = 0; i < slots; ++i) {
      needed = needed || owners_[slot] == Owner(n, geometry_.y.Pixel(oy, i));
    }
    if (needed) continue;
    owners_[slot] = owner;
    return slot;
  }
}

}  // namespace tfkit::kbit_conv2d::neon
