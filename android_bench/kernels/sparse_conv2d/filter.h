// The weights of a filter that are not zero, in the order in which kernels read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tfkit::sparse_conv2d {

struct Entry {
  std::uint32_t k;
  float weight;
};

// Outputs next to each other, the first of them a multiple of this, whose zeros are at the same
// places: pruning by blocks of 1 input x 4 outputs, or of 16, leaves such. What is loaded of the
// image then serves all of them.
constexpr int kGroup = 4;

struct Block {
  std::uint32_t k;
  float weights[kGroup];
};

struct Filter {
  std::size_t depth = 0;
  // The weights of each output (compressed sparse rows); none of those in groups with blocks.
  std::vector<std::size_t> starts = {0};  // and the end
  std::vector<Entry> entries;
  // Of each whole group; none where the zeros of its outputs differ.
  std::vector<std::size_t> block_starts = {0};  // and the end
  std::vector<Block> blocks;

  std::size_t outputs() const { return starts.size() - 1; }
  // Whether output `o`, of which the remainder by kGroup is 0, starts a group of blocks.
  bool StartsBlocks(std::size_t o) const {
    const std::size_t group = o / kGroup;
    return group + 1 < block_starts.size() && block_starts[group] != block_starts[group + 1];
  }
  std::size_t nonzeros() const { return entries.size() + blocks.size() * kGroup; }
  std::size_t bytes() const {
    return entries.size() * sizeof(Entry) + blocks.size() * sizeof(Block) +
           (starts.size() + block_starts.size()) * sizeof(std::size_t);
  }
};

// `weights` [outputs][depth].
Filter Compress(const float* weights, std::size_t outputs, std::size_t depth);

}  // namespace tfkit::sparse_conv2d
