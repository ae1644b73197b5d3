// TfkitKBitConv2D and TfkitKBitDense: convolutions of values of few bits. README.md has the format.
//
// Each value is an integer, or one integer a plane (`Code`). An output starts from the sums of
// products w a over a window's taps inside the image and their channels: one sum, or with bases one
// for each pair of planes; output_transform.h tells what becomes of them. Sums are exact in int32
// (delegate/kbit_conv2d_op.cc refuses what could leave it).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/cpu.h"
#include "kernels/fit.h"
#include "kernels/kbit_conv2d/output_transform.h"
#include "kernels/kbit_conv2d/params.h"

namespace tfkit::kbit_conv2d {

// What a kernel computes with; crossover.h chooses.
enum class Road {
  kLoops,      // the definition
  kBitSerial,  // popcount(weights AND activations), once for each pair of planes
  kLut,        // tables of the sums of 4 or so activations, looked up by bits of the weights
  kInt8,       // products of bytes
};

// The filter in the order in which a kernel reads it.
struct PackedFilter {
  Buffer words;
  // int32 sums of weight bits, of kernels that use them: `filter_sums.h`, or `blocks.h`.
  Buffer tap_bits;
};

// Scratch memory, in 64-bit words.
struct Workspace {
  std::size_t shared = 0;  // for all units of a run, kept from stage to stage
  std::size_t own = 0;     // for each thread
};

struct Call {
  const Geometry& geometry;
  const OutputTransform& transform;
  const std::uint64_t* weights;  // PackedFilter's, aligned to kAlignment
  const std::int32_t* tap_bits;
  const std::uint32_t* input;  // [batch, y.input, x.input, InputWords()], aligned to 4 bytes
  std::uint64_t* shared;       // aligned to kAlignment; holds anything at the start
  // [batch, y.output, x.output, PixelElements()]. Only the rows of the units that are run need
  // exist.
  void* output;

  TFKIT_ALWAYS_INLINE float* Floats(std::size_t pixel) const {
    return static_cast<float*>(output) + pixel * geometry.filter.channels_out;
  }
  TFKIT_ALWAYS_INLINE std::uint32_t* Levels(std::size_t pixel) const {
    return static_cast<std::uint32_t*>(output) +
           pixel * transform.PixelElements(geometry.filter.channels_out);
  }
};

// A run is `stages` stages, one after the other; a stage is units(geometry, stage) units, in any
// order and on any threads: what one unit of a stage writes, no other reads or writes. The last
// stage has OutputRows() units, and unit i writes output row i only.
struct Kernel {
  const char* name;
  Isa isa;
  Road road;
  Fit (*fit)(const Geometry&, const Cpu&);
  // Once per model; from the stored weights, as many words as StoredBits() fill.
  PackedFilter (*pack)(const Filter&, const std::uint32_t* stored);
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
          reinterpret_cast<const std::int32_t*>(packed.tap_bits.data()),
          input,
          shared,
          output};
}

namespace kernels {
#define TFKIT_KERNEL(name) extern const Kernel name;
#include "kernels/kbit_conv2d/kernels.inc"
#undef TFKIT_KERNEL
}  // namespace kernels

}  // namespace tfkit::kbit_conv2d
