#include "delegate/flexbuffer.h"

#include <algorithm>
#include <cstring>

#include "delegate/shape.h"

namespace tfkit {
namespace {

enum FlexType : unsigned { kInt = 1, kUInt = 2, kMap = 9 };

// Far beyond what any op has. Without bounds a small file could ask for gigabytes, since keys may
// overlap.
constexpr std::size_t kMaxOptions = 64;
constexpr std::size_t kMaxKey = 64;  // with its final NUL

// A type byte: two bits log2 of the width of what is referred to, six bits of type.
constexpr unsigned TypeOf(std::uint8_t packed) { return packed >> 2; }

class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint8_t Byte(std::size_t at) const {
    Check(at, 1);
    return data_[at];
  }

  std::uint64_t Unsigned(std::size_t at, std::size_t width) const {
    Check(at, width);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value |= std::uint64_t{data_[at + i]} << (8 * i);
    return value;
  }

  std::int64_t Signed(std::size_t at, std::size_t width) const {
    const std::uint64_t value = Unsigned(at, width);
    const std::uint64_t sign = std::uint64_t{1} << (8 * width - 1);
    return static_cast<std::int64_t>((value ^ sign) - sign);
  }

  // Offsets count backwards from where they stand.
  std::size_t Target(std::size_t at, std::size_t width) const {
    const std::uint64_t offset = Unsigned(at, width);
    if (offset == 0 || offset > at) Fail();
    return at - offset;
  }

  // `count` elements of `width` bytes, counted backwards from `at`.
  std::size_t Before(std::size_t at, std::size_t width, std::size_t count) const {
    if (at < width * count) Fail();
    return at - width * count;
  }

  std::string Key(std::size_t at) const {
    Check(at, 1);
    const void* end = std::memchr(data_ + at, 0, std::min(size_ - at, kMaxKey));
    if (!end) Fail();
    return reinterpret_cast<const char*>(data_ + at);
  }

  void Check(std::size_t at, std::size_t bytes) const {
    if (at > size_ || bytes > size_ - at) Fail();
  }

  [[noreturn]] static void Fail() { throw Unsupported("the options are not a FlexBuffer map"); }

  static void CheckWidth(std::uint64_t width) {
    if (width != 1 && width != 2 && width != 4 && width != 8) Fail();
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

// For a message: an untrusted key may hold what is no UTF-8, which runtimes and Python choke on.
std::string Printable(std::string key) {
  for (char& c : key) {
    if (c < ' ' || c > '~') c = '?';
  }
  return key;
}

[[noreturn]] void Refuse(const std::string& key, const char* reason) {
  throw Unsupported("the option '" + Printable(key) + "' " + reason);
}

}  // namespace

IntegerMap ReadFlexBufferMap(const void* data, std::size_t size) {
  if (!data || size < 3) throw Unsupported("the options are missing");
  const Reader in(static_cast<const std::uint8_t*>(data), size);

  // ... root value, root type, width of the root value
  const std::size_t root_width = in.Byte(size - 1);
  const std::uint8_t root_type = in.Byte(size - 2);
  Reader::CheckWidth(root_width);
  if (TypeOf(root_type) != kMap) Reader::Fail();
  const std::size_t values = in.Target(in.Before(size - 2, root_width, 1), root_width);

  // offset of the keys, width of the keys, number of values | values, one type byte for each
  const std::size_t width = std::size_t{1} << (root_type & 3);
  const std::uint64_t count = in.Unsigned(in.Before(values, width, 1), width);
  const std::uint64_t key_width = in.Unsigned(in.Before(values, width, 2), width);
  Reader::CheckWidth(key_width);
  const std::size_t keys = in.Target(in.Before(values, width, 3), width);
  if (count > kMaxOptions) {
    throw Unsupported("the options are " + std::to_string(count) + ", which is too many");
  }
  in.Check(values, count * (width + 1));
  if (in.Unsigned(in.Before(keys, key_width, 1), key_width) != count) Reader::Fail();

  IntegerMap map;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = in.Key(in.Target(keys + i * key_width, key_width));
    const std::size_t at = values + i * width;
    std::int64_t value = 0;
    switch (TypeOf(in.Byte(values + count * width + i))) {
      case kInt:
        value = in.Signed(at, width);
        break;
      case kUInt: {
        const std::uint64_t number = in.Unsigned(at, width);
        value = static_cast<std::int64_t>(number);
        if (value < 0) Refuse(key, "is out of range");
        break;
      }
      default:
        Refuse(key, "is not an integer");
    }
    if (!map.emplace(key, value).second) Refuse(key, "is given twice");
  }
  return map;
}

}  // namespace tfkit
