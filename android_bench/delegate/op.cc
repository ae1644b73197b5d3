#include "delegate/op.h"

#include <map>

namespace tfkit {
namespace {

using Maker = std::unique_ptr<Op> (*)(const NodeView&, const std::string&);

const std::map<std::string, Maker>& Makers() {
  static const std::map<std::string, Maker> makers = {
      {"LceBMaxPool2d", MakeBMaxPool2dOp},         {"LceBconv2d", MakeBconv2dOp},
      {"LceDequantize", MakeDequantizeOp},         {"LceQuantize", MakeQuantizeOp},
      {"TfkitKBitConv2D", MakeKBitConv2dOp},       {"TfkitKBitDense", MakeKBitDenseOp},
      {"TfkitKBitMaxPool2D", MakeKBitMaxPool2dOp}, {"TfkitKBitQuantize", MakeKBitQuantizeOp},
  };
  return makers;
}

}  // namespace

Work PassOver(std::int64_t units, std::size_t bytes) {
  constexpr double kBytesPerMicrosecond = 20'000;
  Work work;
  work.units = {units};
  work.microseconds = bytes / kBytesPerMicrosecond;
  return work;
}

std::size_t SizeOf(TfLiteType type) {
  switch (type) {
    case kTfLiteFloat32:
    case kTfLiteInt32:
      return 4;
    case kTfLiteInt8:
      return 1;
    default:
      throw Unsupported("a tensor has the type number " + std::to_string(type));
  }
}

bool IsOpName(const std::string& name) { return Makers().count(name) != 0; }

std::unique_ptr<Op> MakeOp(const NodeView& node, const std::string& forced_kernel) {
  // LCE has only ever written version 1. Today's runtimes say 1 of every custom op they do not
  // know.
  if (node.is_custom() && node.version() > 1) {
    throw Unsupported("it has version " + std::to_string(node.version()) + ", only 1 is known");
  }
  const TfLiteTensor& output = node.Output(0);
  if (output.allocation_type == kTfLiteMmapRo || output.allocation_type == kTfLitePersistentRo ||
      output.is_variable) {
    throw Unsupported("its output is a constant or a variable of the model");
  }
  switch (node.builtin_code()) {
    case kTfLiteBuiltinAdd:
      return MakeAddOp(node, forced_kernel);
    case kTfLiteBuiltinConv2d:
    case kTfLiteBuiltinFullyConnected:
      return MakeSparseConv2dOp(node, forced_kernel);
    case kTfLiteBuiltinDensify:
      return MakeDensifyOp(node);
    default:
      return Makers().at(node.op_name())(node, forced_kernel);
  }
}

}  // namespace tfkit
