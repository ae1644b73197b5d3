#include <arm_neon.h>

#include "kernels/bmaxpool/blocks.h"

namespace tfkit::bmaxpool {
namespace {

template <int kVectors>
struct NeonBlock {
  static constexpr int kWords = 4 * kVectors;
  uint32x4_t bits[kVectors];
  NeonBlock() {
    for (uint32x4_t& vector : bits) vector = vdupq_n_u32(~0u);
  }
  void And(const std::uint32_t* words) {
    for (int v = 0; v < kVectors; ++v) bits[v] = vandq_u32(bits[v], vld1q_u32(words + 4 * v));
  }
  void Store(std::uint32_t* words) const {
    for (int v = 0; v < kVectors; ++v) vst1q_u32(words + 4 * v, bits[v]);
  }
};

void Run(const Shape& shape, const std::uint32_t* input, std::uint32_t* output, std::int64_t begin,
         std::int64_t end) {
  if (shape.words % 8 == 0) {
    RunBlocks<NeonBlock<2>>(shape, input, output, begin, end);
  } else if (shape.words % 4 == 0) {
    RunBlocks<NeonBlock<1>>(shape, input, output, begin, end);
  } else if (shape.words % 2 == 0) {
    RunBlocks<ScalarBlock<std::uint64_t>>(shape, input, output, begin, end);
  } else {
    RunBlocks<ScalarBlock<std::uint32_t>>(shape, input, output, begin, end);
  }
}

Fit Suits(const Shape&, const Cpu&) { return Fit::kSuits; }

}  // namespace

const Kernel kernels::neon = {"neon", Isa::kNeon, Suits, Run};

}  // namespace tfkit::bmaxpool
