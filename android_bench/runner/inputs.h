// Inputs that Python and C++ generate alike, and inputs from a file.
//
// Seeded inputs draw one 64-bit number per element from a single splitmix64 stream (Steele, Lea,
// Flood: "Fast Splittable Pseudorandom Number Generators", 2014) that runs through all inputs in
// the model's order. Draw number n = 0, 1, ... of seed s is
//     z = s + (n + 1) * 0x9E3779B97F4A7C15
//     z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;  z = (z ^ z >> 27) * 0x94D049BB133111EB;  z ^ z >> 31
// all modulo 2^64, and its highest bits become the element:
//     float32   (24 bits - 2^23) / 2^23    in [-1, 1), exactly representable
//     float16   (11 bits - 2^10) / 2^10    in [-1, 1), likewise
//     int8, uint8, int16                   the highest 8, 8, 16 bits: the full range
//     int32, int64, bool                   the highest bit, 0 or 1
// Integers are mostly indexes, and 1 is seldom out of range. tfkit/bench/inputs.py is the same in
// NumPy; tests/bench/test_inputs.py compares the two.
#ifndef TFKIT_RUNNER_INPUTS_H_
#define TFKIT_RUNNER_INPUTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runner/tensor.h"

namespace tfkit::runner {

std::vector<Bytes> SeededInputs(const std::vector<TensorInfo>& tensors, std::uint64_t seed);

// Cuts the file into one piece per tensor. Throws Failure unless it has exactly the bytes of all of
// them.
std::vector<Bytes> ReadTensors(const std::string& path, const std::vector<TensorInfo>& tensors,
                               const char* what);

// Writes the tensors one after the other.
void WriteTensors(const std::string& path, const std::vector<Bytes>& tensors);

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_INPUTS_H_
