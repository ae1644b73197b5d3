#include <algorithm>

#include "kernels/sparse_conv2d/filter.h"

namespace tfkit::sparse_conv2d {
namespace {

// Of the kGroup outputs from `weights` on.
bool SameZeros(const float* weights, std::size_t depth) {
  for (std::size_t k = 0; k < depth; ++k) {
    for (int i = 1; i < kGroup; ++i) {
      if ((weights[i * depth + k] != 0.0f) != (weights[k] != 0.0f)) return false;
    }
  }
  return true;
}

void AppendBlocks(const float* weights, std::size_t depth, Filter& filter) {
  for (std::size_t k = 0; k < depth; ++k) {
    if (weights[k] == 0.0f) continue;
    Block block{static_cast<std::uint32_t>(k), {}};
    for (int i = 0; i < kGroup; ++i) block.weights[i] = weights[i * depth + k];
    filter.blocks.push_back(block);
  }
}

void AppendEntries(const float* weights, std::size_t depth, Filter& filter) {
  for (std::size_t k = 0; k < depth; ++k) {
    if (weights[k] != 0.0f) filter.entries.push_back({static_cast<std::uint32_t>(k), weights[k]});
  }
}

}  // namespace

Filter Compress(const float* weights, std::size_t outputs, std::size_t depth) {
  Filter filter;
  filter.depth = depth;
  for (std::size_t o = 0; o < outputs; o += kGroup) {
    const std::size_t count = std::min<std::size_t>(kGroup, outputs - o);
    const float* const group = weights + o * depth;
    const bool blocks = count == kGroup && SameZeros(group, depth);
    if (blocks) AppendBlocks(group, depth, filter);
    for (std::size_t i = 0; i < count; ++i) {
      if (!blocks) AppendEntries(group + i * depth, depth, filter);
      filter.starts.push_back(filter.entries.size());
    }
    if (count == kGroup) filter.block_starts.push_back(filter.blocks.size());
  }
  filter.entries.shrink_to_fit();
  filter.blocks.shrink_to_fit();
  return filter;
}

}  // namespace tfkit::sparse_conv2d
