#include "delegate/unpack_weights.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/bits.h"

namespace tfkit {
namespace {

enum InputPosition { kWords, kLevels, kScales };

constexpr int kMaxBits = 8;
constexpr int kMaxTerms = 8;
constexpr int kMaxCode = 1 << 24;  // the integers up to here are floats
// XNNPACK reads a few bytes beyond the end of weights.
constexpr std::size_t kSlackWords = 16;

// What the constants of a node say.
struct Packed {
  std::size_t count = 0;                 // of weights
  int bits = 0;                          // of the number of a weight's level
  int levels = 0;                        // numbers below this
  int terms = 1;                         // of a value
  std::size_t rows = 1;                  // of scales
  std::size_t inner = 1;                 // weights in a row with the same scales
  std::vector<float> codes;              // [levels][terms]
  std::vector<float> scales;             // [rows][terms]; none: codes are the values
  const std::uint8_t* stream = nullptr;  // in the model, not aligned

  std::uint32_t Level(std::size_t weight) const {
    const std::size_t bit = weight * bits;
    const std::size_t last = (count * bits - 1) / 8;
    const std::size_t byte = bit / 8;
    const std::uint32_t two = stream[byte] | (byte < last ? stream[byte + 1] << 8 : 0);
    return two >> (bit % 8) & ((1u << bits) - 1);
  }
};

int Within(const char* name, int value, int low, int high) {
  if (value >= low && value <= high) return value;
  throw Unsupported(std::string("the option '") + name + "' is " + std::to_string(value) +
                    ", not " + std::to_string(low) + " to " + std::to_string(high));
}

// The integers that levels stand for: a table, or a row of equal steps.
void ReadLevels(const NodeView& node, int lowest, int step, Packed& packed) {
  packed.levels = 1 << packed.bits;
  std::vector<std::int32_t> codes;
  if (node.HasInput(kLevels)) {
    const Shape shape = node.ConstantShape(kLevels, "levels", kTfLiteInt32, 2);
    if (shape[0] > packed.levels || shape[1] > kMaxTerms) {
      throw Unsupported("its levels have the shape " + ToString(shape) + ", at most [" +
                        std::to_string(packed.levels) + ", " + std::to_string(kMaxTerms) + "]");
    }
    packed.levels = shape[0];
    packed.terms = shape[1];
    codes = node.Constant<std::int32_t>(kLevels, "levels", shape);
  } else {
    for (int level = 0; level < packed.levels; ++level) codes.push_back(lowest + step * level);
  }
  for (std::int32_t code : codes) {
    if (code < -kMaxCode || code > kMaxCode) {
      throw Unsupported("a level is " + std::to_string(code) + ", beyond 2^24");
    }
    packed.codes.push_back(static_cast<float>(code));
  }
}

void ReadScales(const NodeView& node, int inner, Packed& packed) {
  const Shape shape = node.ConstantShape(kScales, "scales", kTfLiteFloat32, 2);
  packed.scales = node.Constant<float>(kScales, "scales", {shape[0], packed.terms});
  packed.rows = shape[0];
  packed.inner = inner;
  if (packed.count % packed.rows != 0 || packed.count / packed.rows % packed.inner != 0) {
    throw Unsupported(std::to_string(packed.count) + " weights are no multiple of " +
                      std::to_string(packed.rows) + " rows of " + std::to_string(packed.inner));
  }
}

void ReadStream(const NodeView& node, Packed& packed) {
  // At most 2^60 bits: Elements leaves room for 8 bytes each.
  const std::uint64_t bits = std::uint64_t{packed.count} * packed.bits;
  const std::uint64_t words = (bits + kWordBits - 1) / kWordBits;
  const Shape shape = node.ConstantShape(kWords, "weights", kTfLiteInt32, 1);
  if (std::uint64_t(shape[0]) != words) {
    throw Unsupported("its weights have " + std::to_string(shape[0]) + " words, not the " +
                      std::to_string(words) + " that " + std::to_string(bits) + " bits fill");
  }
  packed.stream = static_cast<const std::uint8_t*>(node.ConstantData(kWords));
}

Packed Read(const NodeView& node) {
  if (node.version() > 1) {
    throw Unsupported("it has version " + std::to_string(node.version()) + ", only 1 is known");
  }
  node.ExpectCounts(3, 1);
  const TfLiteTensor& output = node.Output(0);
  if (output.allocation_type != kTfLiteArenaRw || output.is_variable) {
    throw Unsupported("its output is a constant or a variable of the model");
  }
  const bool integers = output.type == kTfLiteInt8;
  if (!integers && output.type != kTfLiteFloat32) {
    throw Unsupported("its output is neither float32 nor int8");
  }
  const std::vector<int> options = node.ReadOptions({"bits", "inner", "lowest", "step"});
  Packed packed;
  packed.bits = Within("bits", options[0], 1, kMaxBits);
  const int inner = Within("inner", options[1], 1, std::numeric_limits<int>::max());
  const int lowest = Within("lowest", options[2], -kMaxCode, kMaxCode);
  const int step = Within("step", options[3], 1, 1 << 16);
  packed.count = Elements(ShapeOf(output));
  ReadLevels(node, lowest, step, packed);
  if (!integers) {
    ReadScales(node, inner, packed);
  } else if (node.HasInput(kScales) || packed.terms != 1) {
    throw Unsupported("its output is int8, which takes one integer a level and no scales");
  }
  ReadStream(node, packed);
  for (std::size_t i = 0; i < packed.count; ++i) {
    const std::uint32_t level = packed.Level(i);
    if (level >= std::uint32_t(packed.levels)) {
      throw Unsupported("a weight has the level " + std::to_string(level) + " of " +
                        std::to_string(packed.levels));
    }
    if (integers && (packed.codes[level] < -128 || packed.codes[level] > 127)) {
      throw Unsupported("a weight is " + std::to_string(static_cast<int>(packed.codes[level])) +
                        ", which int8 does not hold");
    }
  }
  return packed;
}

void Unpack(const Packed& packed, std::int8_t* out) {
  for (std::size_t i = 0; i < packed.count; ++i) {
    out[i] = static_cast<std::int8_t>(packed.codes[packed.Level(i)]);
  }
}

// Each product and each sum rounds once, in the order of the terms: the same bits everywhere.
void Unpack(const Packed& packed, float* out) {
  for (std::size_t i = 0; i < packed.count; ++i) {
    const float* code = packed.codes.data() + std::size_t(packed.Level(i)) * packed.terms;
    const float* scale = packed.scales.data() + i / packed.inner % packed.rows * packed.terms;
    float value = code[0] * scale[0];
    for (int term = 1; term < packed.terms; ++term) {
      const float product = code[term] * scale[term];
      value = value + product;
    }
    out[i] = value;
  }
}

}  // namespace

bool UnpackedWeights::IsName(const char* op_name) {
  return std::strcmp(op_name, "TfkitUnpackWeights") == 0;
}

void UnpackedWeights::Check(const NodeView& node) { Read(node); }

UnpackedWeights::UnpackedWeights(TfLiteContext* context, const NodeView& node)
    : context_(context), output_(node.output_index(0)) {
  const Packed packed = Read(node);
  TfLiteTensor& tensor = context->tensors[output_];
  const bool integers = tensor.type == kTfLiteInt8;
  const std::size_t bytes = packed.count * (integers ? 1 : sizeof(float));
  values_ = Buffer((bytes + 7) / 8 + kSlackWords);
  if (integers) {
    Unpack(packed, reinterpret_cast<std::int8_t*>(values_.data()));
  } else {
    Unpack(packed, reinterpret_cast<float*>(values_.data()));
  }
  tensor.allocation_type = kTfLiteMmapRo;
  tensor.data = values_.data();
  tensor.bytes = bytes;
}

UnpackedWeights::~UnpackedWeights() {
  TfLiteTensor& tensor = context_->tensors[output_];
  tensor.allocation_type = kTfLiteArenaRw;
  tensor.data = nullptr;
}

}  // namespace tfkit
