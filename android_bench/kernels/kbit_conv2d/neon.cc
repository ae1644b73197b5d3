// NEON: a vector holds words of four output channels; AND, CNT and a pairwise add-accumulate to 16
// bits.
#include <arm_neon.h>

#include "kernels/kbit_conv2d/bit_serial.h"

namespace tfkit::kbit_conv2d {
namespace {

// A word adds at most 16 to each half of a 16-bit sum.
constexpr int kFlush = 4095;
constexpr int kVectors = kBlock / 4;

struct NeonCounter {
  static constexpr int Pixels(int planes) { return planes == 1 ? 4 : planes == 2 ? 2 : 1; }

  template <int kPixels, int kPlanes>
  static void Count(const std::uint32_t* patch, const std::uint32_t* weights, int depth,
                    std::int32_t (&shared)[kPixels][kPlanes][kBlock]) {
    std::memset(shared, 0, sizeof shared);
    while (depth > 0) {
      const int steps = depth < kFlush ? depth : kFlush;
      CountFew<kPixels, kPlanes>(patch, weights, steps, shared);
      patch += std::size_t(steps) * kPixels * kPlanes;
      weights += std::size_t(steps) * kBlock;
      depth -= steps;
    }
  }

  template <int kPixels, int kPlanes>
  static void CountFew(const std::uint32_t* patch, const std::uint32_t* weights, int depth,
                       std::int32_t (&shared)[kPixels][kPlanes][kBlock]) {
    constexpr int kWords = kPixels * kPlanes;
    uint16x8_t sums[kWords][kVectors];
    for (int w = 0; w < kWords; ++w) {
      for (int v = 0; v < kVectors; ++v) sums[w][v] = vdupq_n_u16(0);
    }
    for (int k = 0; k < depth; ++k, patch += kWords, weights += kBlock) {
      uint32x4_t weight[kVectors];
      for (int v = 0; v < kVectors; ++v) weight[v] = vld1q_u32(weights + 4 * v);
      for (int w = 0; w < kWords; ++w) {
        const uint32x4_t word = vdupq_n_u32(patch[w]);
        for (int v = 0; v < kVectors; ++v) {
          const uint8x16_t bits = vreinterpretq_u8_u32(vandq_u32(word, weight[v]));
          sums[w][v] = vpadalq_u8(sums[w][v], vcntq_u8(bits));
        }
      }
    }
    for (int p = 0; p < kPixels; ++p) {
      for (int j = 0; j < kPlanes; ++j) {
        for (int v = 0; v < kVectors; ++v) {
          std::int32_t* out = shared[p][j] + 4 * v;
          const int32x4_t sum = vreinterpretq_s32_u32(vpaddlq_u16(sums[p * kPlanes + j][v]));
          vst1q_s32(out, vaddq_s32(vld1q_s32(out), sum));
        }
      }
    }
  }
};

}  // namespace

const Kernel kernels::neon = {"neon",     Isa::kNeon,      BlocksFit,
                              PackBlocks, BlocksWorkspace, RunBitSerial<NeonCounter>};

}  // namespace tfkit::kbit_conv2d
