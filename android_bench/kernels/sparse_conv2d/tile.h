// The loops around every vector kernel. `Simd` says what a vector is: kLanes, kChains, Vector,
// Load, Store, LoadPart, StorePart, Broadcast, MultiplyAdd, ClampTo, and Transpose of kLanes
// vectors; and with kBlockVectors, how many of each of 4 sums there are registers for. It must
// belong to the file that includes this: what is instantiated here has that file's instructions.
#pragma once

#include <cstddef>

#include "kernels/inlining.h"
#include "kernels/sparse_conv2d/kernel.h"

namespace tfkit::sparse_conv2d {

// A square of channels and pixels at a time: rows of images are often so many bytes apart that all
// of them want the same few places of the cache, so what is fetched is used whole.
template <typename Simd, int kVectors>
TFKIT_ALWAYS_INLINE void TransposeRows(const float* const* rows, std::size_t channels,
                                       float* tile) {
  constexpr int kLanes = Simd::kLanes;
  constexpr int kWidth = kVectors * kLanes;
  for (int first = 0; first < kWidth; first += kLanes) {
    for (std::size_t k = 0; k < channels; k += kLanes) {
      const int count = channels - k < kLanes ? static_cast<int>(channels - k) : kLanes;
      typename Simd::Vector square[kLanes];
      for (int p = 0; p < kLanes; ++p) {
        const float* from = rows[first + p] + k;
        square[p] = count == kLanes ? Simd::Load(from) : Simd::LoadPart(from, count);
      }
      Simd::Transpose(square);
      for (int i = 0; i < kLanes; ++i) {
        if (i < count) Simd::Store(tile + (k + i) * kWidth + first, square[i]);
      }
    }
  }
}

// Adds up kRows outputs together: kRows x kVectors sums wait for each other's multiply-adds in
// turn, none for its own.
template <typename Simd, int kVectors, int kRows>
TFKIT_ALWAYS_INLINE void Sum(const Call& call, const float* tile, std::size_t o,
                             typename Simd::Vector (*results)[kVectors]) {
  constexpr std::size_t kWidth = kVectors * Simd::kLanes;
  typename Simd::Vector sums[kRows][kVectors];
  const Entry* next[kRows];
  std::size_t counts[kRows];
  std::size_t common = ~std::size_t{0};
  for (int r = 0; r < kRows; ++r) {
    const std::size_t start = call.filter.starts[o + r];
    counts[r] = call.filter.starts[o + r + 1] - start;
    next[r] = call.filter.entries.data() + start;
    common = counts[r] < common ? counts[r] : common;
    for (int v = 0; v < kVectors; ++v) sums[r][v] = Simd::Broadcast(call.bias[o + r]);
  }
  const auto step = [&](int r, std::size_t i) {
    const typename Simd::Vector weight = Simd::Broadcast(next[r][i].weight);
    const float* x = tile + next[r][i].k * kWidth;
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = Simd::MultiplyAdd(weight, Simd::Load(x + v * Simd::kLanes), sums[r][v]);
    }
  };
  for (std::size_t i = 0; i < common; ++i) {
    for (int r = 0; r < kRows; ++r) step(r, i);
  }
  for (int r = 0; r < kRows; ++r) {
    for (std::size_t i = common; i < counts[r]; ++i) step(r, i);
    for (int v = 0; v < kVectors; ++v) results[r][v] = Simd::ClampTo(call.clamp, sums[r][v]);
  }
}

// The outputs of a group of blocks, vectors [kFirst, kVectors) of each: what is loaded of the tile
// serves all of them, so the sums are as many as the registers hold.
template <typename Simd, int kVectors, int kFirst = 0>
TFKIT_ALWAYS_INLINE void SumBlocks(const Call& call, const float* tile, std::size_t o,
                                   typename Simd::Vector (*results)[kVectors]) {
  constexpr std::size_t kWidth = kVectors * Simd::kLanes;
  constexpr int kLeft = kVectors - kFirst;
  constexpr int kCount = kLeft < Simd::kBlockVectors ? kLeft : Simd::kBlockVectors;
  typename Simd::Vector sums[kGroup][kCount];
  for (int r = 0; r < kGroup; ++r) {
    for (int v = 0; v < kCount; ++v) sums[r][v] = Simd::Broadcast(call.bias[o + r]);
  }
  const Block* const blocks = call.filter.blocks.data();
  const Block* const end = blocks + call.filter.block_starts[o / kGroup + 1];
  for (const Block* block = blocks + call.filter.block_starts[o / kGroup]; block != end; ++block) {
    const float* x = tile + block->k * kWidth + kFirst * Simd::kLanes;
    typename Simd::Vector values[kCount];
    for (int v = 0; v < kCount; ++v) values[v] = Simd::Load(x + v * Simd::kLanes);
    for (int r = 0; r < kGroup; ++r) {
      const typename Simd::Vector weight = Simd::Broadcast(block->weights[r]);
      for (int v = 0; v < kCount; ++v) {
        sums[r][v] = Simd::MultiplyAdd(weight, values[v], sums[r][v]);
      }
    }
  }
  for (int r = 0; r < kGroup; ++r) {
    for (int v = 0; v < kCount; ++v) {
      results[r][kFirst + v] = Simd::ClampTo(call.clamp, sums[r][v]);
    }
  }
  if constexpr (kFirst + kCount < kVectors) {
    SumBlocks<Simd, kVectors, kFirst + kCount>(call, tile, o, results);
  }
}

template <typename Simd, int kVectors>
TFKIT_ALWAYS_INLINE void MultiplyTile(const Call& call, const float* tile, int pixels,
                                      float* output) {
  constexpr int kLanes = Simd::kLanes;
  static_assert(kLanes % kGroup == 0);
  constexpr int kRows = kVectors >= Simd::kChains ? 1 : Simd::kChains / kVectors >= 4 ? 4 : 2;
  const std::size_t outputs = call.filter.outputs();
  for (std::size_t o = 0; o < outputs; o += kLanes) {
    const int count = outputs - o < kLanes ? static_cast<int>(outputs - o) : kLanes;
    typename Simd::Vector sums[kLanes][kVectors];
    int r = 0;
    while (r < count) {
      if (r % kGroup == 0 && call.filter.StartsBlocks(o + r)) {
        SumBlocks<Simd, kVectors>(call, tile, o + r, sums + r);
        r += kGroup;
      } else if (r + kRows <= count) {
        Sum<Simd, kVectors, kRows>(call, tile, o + r, sums + r);
        r += kRows;
      } else {
        Sum<Simd, kVectors, 1>(call, tile, o + r, sums + r);
        ++r;
      }
    }
    for (; r < kLanes; ++r) {
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Simd::Broadcast(0.0f);
    }
    for (int v = 0; v < kVectors; ++v) {
      typename Simd::Vector square[kLanes];
      for (int i = 0; i < kLanes; ++i) square[i] = sums[i][v];
      Simd::Transpose(square);
      float* to = output + v * kLanes * outputs + o;
      for (int p = 0; p < kLanes && v * kLanes + p < pixels; ++p, to += outputs) {
        if (count == kLanes) {
          Simd::StoreUnaligned(to, square[p]);
        } else {
          Simd::StorePart(to, square[p], count);
        }
      }
    }
  }
}

// Of the only pixel, outputs fill the vectors: `Group` is a Simd of kGroup lanes, `One` of one.
template <typename Group, typename One>
TFKIT_ALWAYS_INLINE void MultiplyOnePixel(const Call& call, const float* x, float* output) {
  const std::size_t outputs = call.filter.outputs();
  const Block* const blocks = call.filter.blocks.data();
  std::size_t o = 0;
  for (; o + kGroup <= outputs; o += kGroup) {
    if (!call.filter.StartsBlocks(o)) {
      typename One::Vector sums[kGroup][1];
      Sum<One, 1, kGroup>(call, x, o, sums);
      for (int r = 0; r < kGroup; ++r) One::StoreUnaligned(output + o + r, sums[r][0]);
      continue;
    }
    typename Group::Vector sum = Group::Load(call.bias + o);
    const Block* const end = blocks + call.filter.block_starts[o / kGroup + 1];
    for (const Block* block = blocks + call.filter.block_starts[o / kGroup]; block != end;
         ++block) {
      sum = Group::MultiplyAdd(Group::Load(block->weights), Group::Broadcast(x[block->k]), sum);
    }
    Group::StoreUnaligned(output + o, Group::ClampTo(call.clamp, sum));
  }
  for (; o < outputs; ++o) {
    typename One::Vector sums[1][1];
    Sum<One, 1, 1>(call, x, o, sums);
    One::StoreUnaligned(output + o, sums[0][0]);
  }
}

template <typename Simd>
TFKIT_ALWAYS_INLINE void TransposeAny(const float* const* rows, std::size_t channels, int vectors,
                                      float* tile) {
  if (vectors == 4) return TransposeRows<Simd, 4>(rows, channels, tile);
  if (vectors == 3) return TransposeRows<Simd, 3>(rows, channels, tile);
  if (vectors == 2) return TransposeRows<Simd, 2>(rows, channels, tile);
  TransposeRows<Simd, 1>(rows, channels, tile);
}

template <typename Simd, typename Group, typename One>
TFKIT_ALWAYS_INLINE void MultiplyAny(const Call& call, const float* tile, int vectors, int pixels,
                                     float* output) {
  if (vectors == 4) return MultiplyTile<Simd, 4>(call, tile, pixels, output);
  if (vectors == 3) return MultiplyTile<Simd, 3>(call, tile, pixels, output);
  if (vectors == 2) return MultiplyTile<Simd, 2>(call, tile, pixels, output);
  if (vectors == kOnePixel) return MultiplyOnePixel<Group, One>(call, tile, output);
  MultiplyTile<Simd, 1>(call, tile, pixels, output);
}

}  // namespace tfkit::sparse_conv2d
