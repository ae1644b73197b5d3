// LceBconv2d: the convolution of bitpacked +-1 images with bitpacked +-1 filters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/bconv2d/output_transform.h"
#include "kernels/bconv2d/params.h"
#include "kernels/buffer.h"
#include "kernels/cpu.h"
#include "kernels/fit.h"

namespace tfkit::bconv2d {

// A filter in the order in which a kernel reads it.
struct PackedFilter {
  Buffer words;
  // int32 [taps, channels_out]: what a zero-padded tap adds to d beyond what its +1 bits have
  // counted. Of kernels that use it.
  Buffer zero_tap;
};

// Scratch memory, in 64-bit words.
struct Workspace {
  std::size_t shared = 0;  // for all units of a run, kept from stage to stage
  std::size_t own = 0;     // for each thread
};

// One run. Plain pointers, so that files with their own flags need no library templates.
struct Call {
  const Geometry& geometry;
  const OutputTransform& transform;
  const std::uint64_t* weights;  // PackedFilter's, aligned to kAlignment
  const std::int32_t* zero_tap;
  const std::uint32_t* input;  // [batch, y.input, x.input, InputWords()], aligned to 4 bytes
  std::uint64_t* shared;       // aligned to kAlignment; holds anything at the start
  // [batch, y.output, x.output, ...], whose last axis is channels_out floats or int8s, or
  // PackedWords(channels_out) words. Only the rows of the units that are run need exist.
  void* output;
};

// A run is `stages` stages, one after the other; a stage is units(geometry, stage) units, in any
// order and on any threads: what one unit of a stage writes, no other reads or writes. Where the
// last stage has as many units as the output has rows, unit i writes row i and touches no other.
struct Kernel {
  const char* name;
  Isa isa;
  Fit (*fit)(const Geometry&, const Cpu&);
  // Once per model; from [channels_out, height, width, words_per_group].
  PackedFilter (*pack)(const Filter&, const std::uint32_t* filter);
  Workspace (*workspace)(const Geometry&);
  int stages;
  std::int64_t (*units)(const Geometry&, int stage);
  // Units [begin, end) of a stage; `own` is the thread's scratch, aligned to kAlignment.
  void (*run)(const Call&, int stage, std::int64_t begin, std::int64_t end, std::uint64_t* own);
};

inline Call MakeCall(const Geometry& geometry, const OutputTransform& transform,
                     const PackedFilter& packed, const std::uint32_t* input, std::uint64_t* shared,
                     void* output) {
  return {geometry,
          transform,
          packed.words.data(),
          reinterpret_cast<const std::int32_t*>(packed.zero_tap.data()),
          input,
          shared,
          output};
}

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/bconv2d/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::bconv2d
