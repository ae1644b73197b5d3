#include "kernels/bconv2d/zero_taps.h"

namespace tfkit::bconv2d {

Buffer PackZeroTaps(const Filter& filter, const std::uint32_t* source) {
  const int words = filter.WordsPerGroup();
  const std::size_t taps = filter.Taps();
  Buffer buffer((taps * filter.channels_out + 1) / 2);
  auto* zero_tap = reinterpret_cast<std::int32_t*>(buffer.data());
  for (int c = 0; c < filter.channels_out; ++c) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      std::int32_t bits = 0;
      for (int w = 0; w < words; ++w) bits += __builtin_popcount(*source++);
      zero_tap[tap * filter.channels_out + c] = filter.ChannelsPerGroup() - 2 * bits;
    }
  }
  return buffer;
}

bool TouchesPadding(const Geometry& geometry, int oy, int ox) {
  const auto outside = [](const WindowAxis& axis, int window) {
    return !axis.Inside(axis.Pixel(window, 0)) || !axis.Inside(axis.Pixel(window, axis.filter - 1));
  };
  return outside(geometry.y, oy) || outside(geometry.x, ox);
}

void AddZeroTaps(const Call& call, int oy, int ox, int channel, int channels, std::int32_t* d) {
  const Geometry& geometry = call.geometry;
  const Filter& filter = geometry.filter;
  for (int fy = 0; fy < filter.height; ++fy) {
    const bool row_inside = geometry.y.Inside(geometry.y.Pixel(oy, fy));
    for (int fx = 0; fx < filter.width; ++fx) {
      if (row_inside && geometry.x.Inside(geometry.x.Pixel(ox, fx))) continue;
      const std::size_t tap = std::size_t(fy) * filter.width + fx;
      const std::int32_t* extra = call.zero_tap + tap * filter.channels_out + channel;
      for (int c = 0; c < channels; ++c) d[c] += extra[c];
    }
  }
}

}  // namespace tfkit::bconv2d
