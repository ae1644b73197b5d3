// Reads the options of a custom op: a FlexBuffer map from short names to integers.
//
// The bytes come from an untrusted file, so every offset is checked against their end. Only what
// such options use is understood; the format is FlatBuffers' "FlexBuffers internals".
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace tfkit {

using IntegerMap = std::map<std::string, std::int64_t>;

// Throws Unsupported if the bytes are not such a map, or name a key twice.
IntegerMap ReadFlexBufferMap(const void* data, std::size_t size);

}  // namespace tfkit
