// Graphs as bytes, so that a fuzzer can change them: any bytes are some graph.
//
//   u8 kernel, u8 threads, u32 seed of the input values
//   u8 tensors, each: u8 type, u8 flags (1 constant, 2 quantized, 4 sparse and nonsense, 8
//   variable,
//                     16 sparse),
//                     u8 rank, i32 axes, f32 scale, i32 zero point, u16 bytes of data and those;
//                     with flag 16: u8 order, i8 each, u8 blocks, i8 each, u8 dimensions, each:
//                     i8 format, i32 size, u8 segments, i16 each, u8 indices, i16 each
//   u8 nodes, each:   u8 op, u8 version, u8 inputs, i8 each, u8 outputs, i8 each,
//                     u16 bytes of options and those (of the runtime's own ops: u8 each)
//   u8 graph outputs, i8 each
//   u8 resizes, each: u8 tensor, u8 rank, i32 axes
//
// Little-endian; what is missing at the end reads as 0. tests/helpers/fuzz_seeds.py and
// fuzz_sparse_seeds.py write the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/fake_runtime.h"

namespace tfkit::fuzz {

struct Resize {
  int tensor = 0;
  std::vector<int> shape;
};

struct Scenario {
  int kernel = 0;  // 0: the delegate's choice; n: the n-th name, if there is one
  int threads = 0;
  std::uint32_t seed = 0;
  testing::FakeGraph graph;
  std::vector<Resize> resizes;
};

Scenario Decode(const std::uint8_t* bytes, std::size_t size);

}  // namespace tfkit::fuzz
