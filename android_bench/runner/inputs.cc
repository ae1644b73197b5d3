#include "runner/inputs.h"

#include <cstring>

#include "runner/failure.h"
#include "runner/files.h"

namespace tfkit::runner {
namespace {

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// k / 2^10 for an integer k in [-2^10, 2^10) as IEEE half.
std::uint16_t HalfOfThousandTwentyFourths(int k) {
  if (k == 0) return 0;
  const std::uint16_t sign = k < 0 ? 0x8000 : 0;
  const unsigned magnitude = static_cast<unsigned>(k < 0 ? -k : k);
  int top = 10;
  while ((magnitude >> top) == 0) --top;
  // magnitude / 2^10 = 2^(top - 10) * 1.fraction; the exponent's bias is 15.
  const unsigned fraction = (magnitude << (10 - top)) & 0x3FFu;
  return static_cast<std::uint16_t>(sign | static_cast<unsigned>(top - 10 + 15) << 10 | fraction);
}

template <typename T>
void Store(Bytes& bytes, std::size_t index, T value) {
  std::memcpy(bytes.data() + index * sizeof(T), &value, sizeof(T));
}

void StoreElement(LiteRtElementType type, std::uint64_t draw, std::size_t i, Bytes& bytes) {
  switch (type) {
    case kLiteRtElementTypeFloat32:
      return Store(
          bytes, i,
          static_cast<float>(static_cast<std::int32_t>(draw >> 40) - (1 << 23)) / float{1 << 23});
    case kLiteRtElementTypeFloat16:
      return Store(bytes, i, HalfOfThousandTwentyFourths(static_cast<int>(draw >> 53) - (1 << 10)));
    case kLiteRtElementTypeInt8:
    case kLiteRtElementTypeUInt8:
      return Store(bytes, i, static_cast<std::uint8_t>(draw >> 56));
    case kLiteRtElementTypeInt16:
      return Store(bytes, i, static_cast<std::uint16_t>(draw >> 48));
    case kLiteRtElementTypeInt32:
      return Store(bytes, i, static_cast<std::int32_t>(draw >> 63));
    case kLiteRtElementTypeInt64:
      return Store(bytes, i, static_cast<std::int64_t>(draw >> 63));
    case kLiteRtElementTypeBool:
      return Store(bytes, i, static_cast<std::uint8_t>(draw >> 63));
  }
}

}  // namespace

std::vector<Bytes> SeededInputs(const std::vector<TensorInfo>& tensors, std::uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<Bytes> all;
  for (const auto& tensor : tensors) {
    Bytes& bytes = all.emplace_back(tensor.ByteCount());
    for (std::size_t i = 0; i < tensor.ElementCount(); ++i) {
      StoreElement(tensor.type.element_type, random.Next(), i, bytes);
    }
  }
  return all;
}

std::vector<Bytes> ReadTensors(const std::string& path, const std::vector<TensorInfo>& tensors,
                               const char* what) {
  const AlignedBytes file = ReadFile(path);
  std::size_t expected = 0;
  for (const auto& tensor : tensors) expected += tensor.ByteCount();
  if (file.size() != expected) {
    throw Failure(std::string(what) + " file " + path + " has " + std::to_string(file.size()) +
                  " bytes; the model's tensors have " + std::to_string(expected));
  }
  std::vector<Bytes> all;
  const std::uint8_t* next = file.data();
  for (const auto& tensor : tensors) {
    all.emplace_back(next, next + tensor.ByteCount());
    next += tensor.ByteCount();
  }
  return all;
}

void WriteTensors(const std::string& path, const std::vector<Bytes>& tensors) {
  std::string whole;
  for (const auto& bytes : tensors)
    whole.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  WriteFile(path, whole);
}

}  // namespace tfkit::runner
