#include "kernels/sparse_conv2d/run.h"

#include <algorithm>

#include "kernels/buffer.h"

namespace tfkit::sparse_conv2d {
namespace {

constexpr int kMostPixels = 64;

// What is read again for every output should stay in the second-level cache, if not in the first.
std::size_t TilePixels(const Kernel& kernel, const Geometry& geometry) {
  return static_cast<std::size_t>(kernel.lanes) * (geometry.Depth() <= kernel.most_deep ? 4 : 2);
}

std::size_t TileWords(const Kernel& kernel, const Geometry& geometry) {
  return AlignedWords((geometry.Depth() * TilePixels(kernel, geometry) + 1) / 2);
}

// Where the windows of a tile's pixels start.
class Windows {
 public:
  Windows(const Geometry& geometry, std::size_t first, int pixels)
      : geometry_(geometry), pixels_(pixels) {
    const std::size_t line = first / geometry.x.output;
    std::size_t image = line / geometry.y.output;
    int y = static_cast<int>(line % geometry.y.output);
    int x = static_cast<int>(first % geometry.x.output);
    for (int p = 0; p < pixels; ++p) {
      places_[p] = {image, y, x};
      if (++x < geometry.x.output) continue;
      x = 0;
      if (++y < geometry.y.output) continue;
      y = 0;
      ++image;
    }
  }

  // Of each pixel, the input under one tap; what a tile lacks to whole vectors is its last pixel
  // again.
  void Rows(int tap_y, int tap_x, const float* input, const float* zeros, int width,
            const float** rows) const {
    for (int p = 0; p < pixels_; ++p) {
      const int y = geometry_.y.Pixel(places_[p].y, tap_y);
      const int x = geometry_.x.Pixel(places_[p].x, tap_x);
      const std::size_t line = places_[p].image * geometry_.y.input + y;
      rows[p] = geometry_.y.Inside(y) && geometry_.x.Inside(x)
                    ? input + (line * geometry_.x.input + x) * geometry_.channels
                    : zeros;
    }
    for (int p = pixels_; p < width; ++p) rows[p] = rows[pixels_ - 1];
  }

 private:
  struct Place {
    std::size_t image;
    int y;
    int x;
  };
  const Geometry& geometry_;
  const int pixels_;
  Place places_[kMostPixels];
};

}  // namespace

std::int64_t Units(const Kernel& kernel, const Geometry& geometry) {
  const std::size_t tile = TilePixels(kernel, geometry);
  return static_cast<std::int64_t>((geometry.Pixels() + tile - 1) / tile);
}

std::size_t OwnWords(const Kernel& kernel, const Geometry& geometry) {
  return TileWords(kernel, geometry) + AlignedWords((geometry.channels + 1) / 2);
}

void Run(const Kernel& kernel, const Geometry& geometry, const Call& call, const float* input,
         float* output, std::int64_t begin, std::int64_t end, std::uint64_t* own) {
  float* const tile = reinterpret_cast<float*>(own);
  float* const zeros = reinterpret_cast<float*>(own + TileWords(kernel, geometry));
  std::fill_n(zeros, geometry.channels, 0.0f);
  const std::size_t most = TilePixels(kernel, geometry);
  const std::size_t total = geometry.Pixels();
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::size_t first = unit * most;
    const int pixels = static_cast<int>(std::min(most, total - first));
    const int vectors = total == 1 ? kOnePixel : (pixels + kernel.lanes - 1) / kernel.lanes;
    const int width = vectors == kOnePixel ? 1 : vectors * kernel.lanes;
    const Windows windows(geometry, first, pixels);
    float* column = tile;
    for (int tap_y = 0; tap_y < geometry.y.filter; ++tap_y) {
      for (int tap_x = 0; tap_x < geometry.x.filter; ++tap_x) {
        const float* rows[kMostPixels];
        windows.Rows(tap_y, tap_x, input, zeros, width, rows);
        if (vectors == kOnePixel) {
          std::copy_n(rows[0], geometry.channels, column);
        } else {
          kernel.transpose(rows, geometry.channels, vectors, column);
        }
        column += geometry.channels * width;
      }
    }
    kernel.multiply(call, tile, vectors, pixels, output + first * call.filter.outputs());
  }
}

}  // namespace tfkit::sparse_conv2d
