#include "tests/flexbuffer_writer.h"

namespace tfkit::testing {

std::vector<std::uint8_t> WriteFlexBufferMap(const std::map<std::string, std::int64_t>& values,
                                             int width) {
  std::vector<std::uint8_t> bytes;
  const auto put = [&](std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  std::vector<std::size_t> key_at;
  for (const auto& [key, value] : values) {
    key_at.push_back(bytes.size());
    bytes.insert(bytes.end(), key.begin(), key.end());
    bytes.push_back(0);
  }
  put(values.size(), width);
  const std::size_t keys = bytes.size();
  for (std::size_t at : key_at) put(bytes.size() - at, width);

  put(bytes.size() - keys, width);
  put(width, width);
  put(values.size(), width);
  const std::size_t first_value = bytes.size();
  for (const auto& [key, value] : values) put(static_cast<std::uint64_t>(value), width);
  const int log2_width = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3;
  for (std::size_t i = 0; i < values.size(); ++i) put(1 << 2 | log2_width, 1);  // signed integer

  put(bytes.size() - first_value, width);
  put(9 << 2 | log2_width, 1);  // map
  put(width, 1);
  return bytes;
}

}  // namespace tfkit::testing
