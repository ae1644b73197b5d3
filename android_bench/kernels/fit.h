#pragma once

namespace tfkit {

// What a kernel says to a shape on a CPU that has its instructions.
enum class Fit {
  kCannot,  // would be wrong
  kCan,     // exact, but meant for other shapes or cores: only when forced
  kSuits,   // take it, unless one before it in the list suits too
};

}  // namespace tfkit
