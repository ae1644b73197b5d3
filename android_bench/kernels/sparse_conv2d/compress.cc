#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

Filter Compress(const float* weights, std::size_t outputs, std::size_t depth) {
  Filter filter;
  filter.depth = depth;
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t k = 0; k < depth; ++k) {
      const float weight = weights[o * depth + k];
      if (weight != 0.0f) filter.entries.push_back({static_cast<std::uint32_t>(k), weight});
    }
    filter.starts.push_back(filter.entries.size());
  }
  filter.entries.shrink_to_fit();
  return filter;
}

}  // namespace tfkit::sparse_conv2d
