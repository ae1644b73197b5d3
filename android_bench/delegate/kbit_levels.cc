#include "delegate/kbit_levels.h"

#include <cstring>
#include <limits>

namespace tfkit {
namespace {

using kbit_conv2d::kBlock;
using kbit_conv2d::PaddedChannels;

// Those that every sum or none reaches keep that meaning.
std::vector<std::int32_t> Widened(const std::vector<std::int16_t>& narrow) {
  using Narrow = std::numeric_limits<std::int16_t>;
  using Wide = std::numeric_limits<std::int32_t>;
  std::vector<std::int32_t> wide;
  for (std::int16_t value : narrow) {
    wide.push_back(value == Narrow::min()   ? Wide::min()
                   : value == Narrow::max() ? Wide::max()
                                            : value);
  }
  return wide;
}

// The stored [thresholds, channels], padded to whole blocks.
template <typename T>
std::vector<T> Padded(const std::vector<T>& stored, int thresholds, int channels) {
  const std::size_t padded = PaddedChannels(channels);
  std::vector<T> values(thresholds * padded);
  using Limits = std::numeric_limits<T>;
  constexpr T kLowest = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  for (int t = 0; t < thresholds; ++t) {
    for (int c = 0; c < channels; ++c) {
      const T value = stored[std::size_t(t) * channels + c];
      // Equal ones stand for levels that no sum has. A comparison with NaN is false.
      if (!(value >= (t == 0 ? kLowest : values[(t - 1) * padded + c]))) {
        throw Unsupported("its thresholds do not rise");
      }
      values[t * padded + c] = value;
    }
  }
  return values;
}

}  // namespace

std::vector<std::uint8_t> ReadLevelBits(const NodeView& node, int input, int levels, int planes) {
  std::vector<std::uint8_t> read;
  for (std::int32_t bits : node.Constant<std::int32_t>(input, "level bits", {levels})) {
    if (bits < 0 || bits >= 1 << planes) {
      throw Unsupported("a level has the bits " + std::to_string(bits) + ", which do not fit " +
                        std::to_string(planes) + " planes");
    }
    read.push_back(static_cast<std::uint8_t>(bits));
  }
  return read;
}

std::vector<std::uint32_t> ReadChannelMask(const NodeView& node, int input, const char* name,
                                           int channels) {
  std::vector<std::uint32_t> mask(PackedWords(channels));
  if (!node.HasInput(input)) return mask;
  const auto stored =
      node.Constant<std::int32_t>(input, name, {static_cast<int>(PackedWords(channels))});
  std::memcpy(mask.data(), stored.data(), mask.size() * sizeof mask[0]);
  if (channels % kWordBits != 0 && mask.back() >> (channels % kWordBits) != 0) {
    throw Unsupported(std::string("its ") + name + " have bits set beyond the last channel");
  }
  return mask;
}

KBitLevels::KBitLevels(const NodeView& node, int first, const kbit_conv2d::Filter& filter,
                       int planes)
    : channels_(filter.channels_out), planes_(planes) {
  const bool narrow = node.Input(first).type == kTfLiteInt16;
  const TfLiteType type = filter.bases ? kTfLiteFloat32 : narrow ? kTfLiteInt16 : kTfLiteInt32;
  thresholds_ = node.ConstantShape(first, "thresholds", type, 2)[0];
  constexpr int kMost = kbit_conv2d::OutputTransform::kMaxThresholds;
  if (thresholds_ > kMost) {
    throw Unsupported("it has " + std::to_string(thresholds_) + " thresholds, at most " +
                      std::to_string(kMost) + " are known");
  }
  const Shape shape = {thresholds_, channels_};
  if (filter.bases) {
    of_floats_ = Padded(node.Constant<float>(first, "thresholds", shape), thresholds_, channels_);
  } else {
    of_sums_ = Padded(narrow ? Widened(node.Constant<std::int16_t>(first, "thresholds", shape))
                             : node.Constant<std::int32_t>(first, "thresholds", shape),
                      thresholds_, channels_);
  }
  bits_ = ReadLevelBits(node, first + 1, thresholds_ + 1, planes);
  const auto falling = ReadChannelMask(node, first + 2, "falling channels", channels_);
  flip_.assign(PaddedChannels(channels_), 0);
  for (int c = 0; c < channels_; ++c) {
    if (falling[c / kWordBits] >> (c % kWordBits) & 1u) flip_[c] = -1;
  }
}

void KBitLevels::Fill(kbit_conv2d::OutputTransform& transform) const {
  transform.type = kbit_conv2d::OutputType::kLevels;
  transform.planes = planes_;
  transform.thresholds = thresholds_;
  transform.threshold = of_sums_.data();
  transform.flip = flip_.data();
  transform.bits = bits_.data();
}

void KBitLevels::Store(const float* values, std::size_t pixels, std::uint32_t* words) const {
  const std::size_t pixel_words = planes_ * PackedWords(channels_);
  const int blocks = static_cast<int>(PaddedChannels(channels_) / kBlock);
  for (std::size_t p = 0; p < pixels; ++p, values += channels_, words += pixel_words) {
    for (int block = 0; block < blocks; ++block) StoreBlock(values, block, words);
  }
}

void KBitLevels::StoreBlock(const float* values, int block, std::uint32_t* pixel) const {
  const int first = block * kBlock;
  const int channels = channels_ - first < kBlock ? channels_ - first : kBlock;
  const std::size_t padded = PaddedChannels(channels_);
  float risen[kBlock] = {};
  for (int c = 0; c < channels; ++c) {
    risen[c] = flip_[first + c] != 0 ? -values[first + c] : values[first + c];
  }
  std::int32_t level[kBlock] = {};
  for (int t = 0; t < thresholds_; ++t) {
    const float* threshold = of_floats_.data() + t * padded + first;
    for (int c = 0; c < kBlock; ++c) level[c] += risen[c] >= threshold[c];
  }
  for (int plane = 0; plane < planes_; ++plane) {
    std::uint32_t bits = 0;
    for (int c = 0; c < channels; ++c) {
      bits |= static_cast<std::uint32_t>(bits_[level[c]] >> plane & 1) << c;
    }
    kbit_conv2d::StoreBlockBits(pixel, plane, block, channels_, bits);
  }
}

std::size_t KBitLevels::bytes() const {
  return (flip_.size() + of_sums_.size() + of_floats_.size()) * 4 + bits_.size();
}

}  // namespace tfkit
