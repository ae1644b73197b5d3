#include "kernels/kbit_conv2d/output_transform.h"

namespace tfkit::kbit_conv2d {

void StoreLevels(const OutputTransform& transform, int channels_out, int block,
                 const std::int32_t* sums, std::uint32_t* pixel) {
  const int first = block * kBlock;
  const int channels = channels_out - first < kBlock ? channels_out - first : kBlock;
  const std::size_t padded = PaddedChannels(channels_out);
  std::uint32_t planes[kMaxActivationPlanes] = {};
  for (int c = 0; c < channels; ++c) {
    const std::int32_t sum = sums[c] ^ transform.flip[first + c];
    int level = 0;
    for (int t = 0; t < transform.thresholds; ++t) {
      level += sum >= transform.threshold[t * padded + first + c];
    }
    for (int j = 0; j < transform.planes; ++j) {
      planes[j] |= (transform.bits[level] >> j & 1u) << c;
    }
  }
  for (int j = 0; j < transform.planes; ++j) {
    StoreBlockBits(pixel, j, block, channels_out, planes[j]);
  }
}

}  // namespace tfkit::kbit_conv2d
