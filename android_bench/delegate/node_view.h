// Checked access to a node of an untrusted model.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "abi/tflite.h"
#include "delegate/flexbuffer.h"
#include "delegate/shape.h"

namespace tfkit {

Shape ShapeOf(const TfLiteTensor&);

// All functions throw Unsupported with a reason when the node is not what it must be.
class NodeView {
 public:
  NodeView(TfLiteContext*, int node);

  int index() const { return index_; }
  // Of custom ops, which may have any name, and of the builtin ones that are taken; empty for
  // others.
  const char* op_name() const { return op_name_; }
  bool is_custom() const { return builtin_code_ == kTfLiteBuiltinCustom; }
  int builtin_code() const { return builtin_code_; }
  bool is_builtin_add() const { return builtin_code_ == kTfLiteBuiltinAdd; }
  int version() const { return version_; }

  void ExpectCounts(int inputs, int outputs) const;
  int inputs() const { return node_->inputs ? node_->inputs->size : 0; }
  int input_index(int input) const { return Index(node_->inputs, input); }
  int output_index(int output) const { return Index(node_->outputs, output); }

  const TfLiteTensor& Input(int input) const;
  const TfLiteTensor& Output(int output) const;
  bool HasInput(int input) const;
  // The constant behind an input, if DENSIFY brings it; else the input.
  const TfLiteTensor& StoredInput(int input) const;

  // The values of a constant input of exactly this type and shape.
  template <typename T>
  std::vector<T> Constant(int input, const char* name, const Shape&) const;
  // The shape of a constant input of this type and rank, whose data is there in full.
  Shape ConstantShape(int input, const char* name, TfLiteType, std::size_t rank) const;
  // Where its data is, for as long as the model lives. Not necessarily aligned.
  const void* ConstantData(int input) const { return Input(input).data; }

  // Of a builtin op; null if the runtime gives none.
  const void* builtin_options() const { return node_->builtin_data; }
  // A custom op's options: exactly the `names`, each an integer that fits an int.
  std::vector<int> ReadOptions(const std::vector<const char*>& names) const;

 private:
  static int Index(const TfLiteIntArray*, int position);
  const TfLiteTensor& Tensor(int index) const;

  TfLiteContext* context_;
  int index_;
  TfLiteNode* node_ = nullptr;
  const char* op_name_ = "";
  int version_ = 0;
  int builtin_code_ = 0;
};

// Scale and zero point of an int8 tensor quantized as a whole.
TfLiteQuantizationParams Int8Quantization(const TfLiteTensor&, const char* name);

}  // namespace tfkit
