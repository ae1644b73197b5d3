#include "kernels/kbit_conv2d/neon_bytes.h"

#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "kernels/kbit_conv2d/neon_outputs.h"
#include "kernels/kbit_conv2d/padded.h"

namespace tfkit::kbit_conv2d::neon {
namespace {

// What bytes count in: steps of the code, if the sums need not be multiplied later.
int ByteStep(const Filter& filter, const Code& code) {
  return Multiplier(filter) == 1 ? 1 : code.step;
}

int LargestByte(const Filter& filter, const Code& code) {
  return ByteStep(filter, code) * ((1 << code.planes) - 1);
}

// The thread's scratch; offsets in bytes.
struct Scratch {
  std::size_t sums, bits, outputs, band, end;
  std::size_t row_bytes;

  Scratch(const Geometry& geometry, const Columns& columns) {
    const Filter& filter = geometry.filter;
    row_bytes = columns.Places() * TapBytes(filter);
    sums = 0;
    bits = sums + AlignedBytes(SumsBytes(filter, kTilePixels));
    outputs = bits + AlignedBytes(BitRowBytes(filter, columns));
    band = outputs + AlignedBytes(Outputs::ScratchBytes(geometry));
    end = band + Band::ScratchBytes(geometry, columns, row_bytes);
  }
};

// A row's bytes from its bits.
void PutByteRow(const Filter& filter, const Columns& columns, const std::uint32_t* bits,
                std::uint8_t* out) {
  const int planes = filter.activations.planes;
  const std::size_t pixel_bytes = filter.PlaneWords() * sizeof *bits;
  const std::size_t plane_bytes = columns.count * pixel_bytes;
  const auto* in = reinterpret_cast<const std::uint8_t*>(bits);
  const uint8x16_t byte_of_lane = vcombine_u8(vdup_n_u8(0), vdup_n_u8(1));
  const uint8x16_t bit_of_lane = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201));
  const int taps = TapBytes(filter);
  const int step = ByteStep(filter, filter.activations);
  for (std::size_t column = 0; column < columns.count; ++column, in += pixel_bytes) {
    std::uint8_t* to = out + columns.Place(column) * taps;
    for (int c = 0; c < taps; c += kStepChannels) {
      uint8x16_t bytes = vdupq_n_u8(0);
      for (int j = 0; j < planes; ++j) {
        std::uint16_t pair;
        std::memcpy(&pair, in + j * plane_bytes + c / 8, sizeof pair);
        const uint8x16_t both = vreinterpretq_u8_u16(vdupq_n_u16(pair));
        const uint8x16_t set = vtstq_u8(vqtbl1q_u8(both, byte_of_lane), bit_of_lane);
        bytes = vaddq_u8(bytes, vandq_u8(set, vdupq_n_u8(static_cast<std::uint8_t>(step << j))));
      }
      vst1q_u8(to + c, bytes);
    }
  }
}

}  // namespace

bool BytesCan(const Geometry& geometry) {
  const Filter& filter = geometry.filter;
  return filter.Terms() == 1 &&
         BandFits(geometry, Columns(geometry, geometry.x.output), TapBytes(filter));
}

int LargestProduct(const Filter& filter) {
  return LargestByte(filter, filter.weights) * LargestByte(filter, filter.activations);
}

PackedFilter PackBytes(const Filter& filter, const std::uint32_t* stored, ByteOrder order) {
  const std::size_t steps = std::size_t(filter.height) * RowSteps(filter);
  const std::size_t vector_bytes = steps * kLanes * kStepChannels;
  const int step = ByteStep(filter, filter.weights);
  PackedFilter packed;
  packed.words = Buffer(Vectors(filter) * vector_bytes / sizeof(std::uint64_t));
  packed.tap_bits = PackFilterSums(filter, stored);
  auto* bytes = reinterpret_cast<std::uint8_t*>(packed.words.data());
  std::int64_t at = 0;
  for (int plane = 0; plane < filter.weights.planes; ++plane) {
    for (int channel = 0; channel < filter.channels_out; ++channel) {
      const int lane = channel % kLanes;
      std::uint8_t* out = bytes + channel / kLanes * vector_bytes;
      for (int tap = 0; tap < filter.Taps(); ++tap) {
        for (int c = 0; c < filter.channels_in; ++c, ++at) {
          const std::size_t k = std::size_t(tap) * TapBytes(filter) + c;
          const std::size_t place =
              order == ByteOrder::kQuads
                  ? k / 4 * (4 * kLanes) + lane * 4 + k % 4
                  : ((lane / 4 * steps + k / kStepChannels) * 4 + lane % 4) * kStepChannels +
                        k % kStepChannels;
          const unsigned bit = stored[at / kWordBits] >> (at % kWordBits) & 1u;
          out[place] = static_cast<std::uint8_t>(out[place] + (bit << plane) * step);
        }
      }
    }
  }
  return packed;
}

Workspace BytesWorkspace(const Geometry& geometry) {
  return {0, Scratch(geometry, Columns(geometry, geometry.x.output)).end / sizeof(std::uint64_t)};
}

void RunBytes(const Call& call, const ByteFunctions& functions, std::int64_t begin,
              std::int64_t end, std::uint64_t* own) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  const Columns columns(geometry, geometry.x.output);
  const Scratch scratch(geometry, columns);
  auto* bytes = reinterpret_cast<std::uint8_t*>(own);
  auto* sums = reinterpret_cast<std::int32_t*>(bytes + scratch.sums);
  auto* bit_row = reinterpret_cast<std::uint32_t*>(bytes + scratch.bits);
  constexpr Counted kCounted = Counted::kProducts;
  Outputs outputs(call, kCounted, bytes + scratch.outputs);
  Band band(geometry, columns, scratch.row_bytes, bytes + scratch.band);
  const auto* weights = reinterpret_cast<const std::uint8_t*>(call.weights);
  std::size_t offsets[kTilePixels];
  Windows windows = {nullptr, offsets, filter.height, RowSteps(filter),
                     0xffff / (2 * LargestProduct(filter))};
  const int width = geometry.x.output;
  const int tiles = (width + kTilePixels - 1) / kTilePixels;
  for (std::int64_t row = begin; row < end; ++row) {
    band.MoveTo(row, [&](std::int64_t n, int y, std::uint8_t* to, std::int32_t* counts) {
      PutBitRow(call, columns, n, y, bit_row);
      PutByteRow(filter, columns, bit_row, to);
      if (Outputs::NeedsBits(filter, kCounted)) CountBits(filter, columns, bit_row, counts);
    });
    outputs.BeginRow(row, band.counts());
    windows.rows = band.rows();
    int x = 0;
    for (int tile = tiles; tile > 0; --tile) {
      const int pixels = (width - x + tile - 1) / tile;
      for (int p = 0; p < pixels; ++p) {
        offsets[p] = columns.Place(std::size_t(x + p) * geometry.x.stride) * TapBytes(filter);
      }
      functions[pixels](windows, weights, Vectors(filter), sums);
      outputs.Put(x, pixels, pixels, sums);
      x += pixels;
    }
  }
}

}  // namespace tfkit::kbit_conv2d::neon
