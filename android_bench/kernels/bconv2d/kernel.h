// LceBconv2d: the convolution of bitpacked +-1 images with bitpacked +-1 filters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/bconv2d/output_transform.h"
#include "kernels/bconv2d/params.h"
#include "kernels/cpu.h"

namespace tfkit::bconv2d {

// A filter in the order in which a kernel reads it.
struct PackedFilter {
  std::vector<std::uint64_t> words;
  // [taps, channels_out]: what a zero-padded tap adds to d beyond what its +1 bits have counted.
  std::vector<std::int32_t> zero_tap;
};

struct Kernel {
  const char* name;
  bool (*runs)(const Geometry&, const Cpu&);
  // Once per model; from [channels_out, height, width, words_per_group].
  PackedFilter (*pack)(const Filter&, const std::uint32_t* filter);
  // Scratch that `run` needs, in 64-bit words.
  std::size_t (*workspace)(const Geometry&);
  // input [batch, y.input, x.input, InputWords()] -> output [batch, y.output, x.output, ...], whose
  // last axis is channels_out floats or int8s, or PackedWords(channels_out) words.
  void (*run)(const Geometry&, const PackedFilter&, const OutputTransform&,
              const std::uint32_t* input, std::uint64_t* workspace, void* output);
};

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/bconv2d/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::bconv2d
