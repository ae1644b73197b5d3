// Writes a FlexBuffer map of integers, from the format's description and independently of the
// reader.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tfkit::testing {

// All values, offsets and counts take `width` (1, 2, 4 or 8) bytes.
std::vector<std::uint8_t> WriteFlexBufferMap(const std::map<std::string, std::int64_t>& values,
                                             int width = 4);

}  // namespace tfkit::testing
