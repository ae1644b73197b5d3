#include "delegate/node_view.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace tfkit {
namespace {

template <typename T>
constexpr TfLiteType kTypeOf = kTfLiteNoType;
template <>
constexpr TfLiteType kTypeOf<float> = kTfLiteFloat32;
template <>
constexpr TfLiteType kTypeOf<std::int32_t> = kTfLiteInt32;
template <>
constexpr TfLiteType kTypeOf<std::int16_t> = kTfLiteInt16;

const char* BuiltinName(int code) {
  switch (code) {
    case kTfLiteBuiltinAdd:
      return "ADD";
    case kTfLiteBuiltinConv2d:
      return "CONV_2D";
    case kTfLiteBuiltinDensify:
      return "DENSIFY";
    case kTfLiteBuiltinFullyConnected:
      return "FULLY_CONNECTED";
    default:
      return "";
  }
}

}  // namespace

Shape ShapeOf(const TfLiteTensor& tensor) {
  if (!tensor.dims || tensor.dims->size < 0) return {};
  return Shape(tensor.dims->data, tensor.dims->data + tensor.dims->size);
}

NodeView::NodeView(TfLiteContext* context, int node) : context_(context), index_(node) {
  TfLiteRegistration* registration = nullptr;
  if (context->GetNodeAndRegistration(context, node, &node_, &registration) != kTfLiteOk ||
      !node_ || !registration) {
    throw Unsupported("the runtime has no such node");
  }
  builtin_code_ = registration->builtin_code;
  version_ = registration->version;
  op_name_ = BuiltinName(builtin_code_);
  if (is_custom() && registration->custom_name) op_name_ = registration->custom_name;
}

int NodeView::Index(const TfLiteIntArray* indices, int position) {
  if (!indices || position >= indices->size) throw Unsupported("an input or output is missing");
  return indices->data[position];
}

const TfLiteTensor& NodeView::Tensor(int index) const {
  if (index < 0 || static_cast<std::size_t>(index) >= context_->tensors_size) {
    throw Unsupported("it refers to tensor " + std::to_string(index) + ", which does not exist");
  }
  return context_->tensors[index];
}

const TfLiteTensor& NodeView::Input(int input) const { return Tensor(input_index(input)); }

const TfLiteTensor& NodeView::Output(int output) const { return Tensor(output_index(output)); }

bool NodeView::HasInput(int input) const { return input_index(input) != kTfLiteOptionalTensor; }

const TfLiteTensor& NodeView::StoredInput(int input) const {
  const TfLiteTensor& tensor = Input(input);
  if (tensor.allocation_type == kTfLiteMmapRo) return tensor;
  for (int writer = index_ - 1; writer >= 0; --writer) {
    const NodeView node(context_, writer);
    if (node.builtin_code() != kTfLiteBuiltinDensify) continue;
    node.ExpectCounts(1, 1);
    if (node.output_index(0) == input_index(input)) return node.Input(0);
  }
  return tensor;
}

void NodeView::ExpectCounts(int inputs, int outputs) const {
  const int got_inputs = node_->inputs ? node_->inputs->size : 0;
  const int got_outputs = node_->outputs ? node_->outputs->size : 0;
  if (got_inputs != inputs || got_outputs != outputs) {
    throw Unsupported("it has " + std::to_string(got_inputs) + " inputs and " +
                      std::to_string(got_outputs) + " outputs, not " + std::to_string(inputs) +
                      " and " + std::to_string(outputs));
  }
}

Shape NodeView::ConstantShape(int input, const char* name, TfLiteType type,
                              std::size_t rank) const {
  const TfLiteTensor& tensor = Input(input);
  const std::string subject = std::string("its ") + name;
  if (tensor.allocation_type != kTfLiteMmapRo || !tensor.data) {
    throw Unsupported(subject + " is not a constant of the model");
  }
  if (tensor.type != type) throw Unsupported(subject + " has the wrong type");
  if (tensor.sparsity) throw Unsupported(subject + " is stored sparse");
  const Shape shape = ShapeOf(tensor);
  if (shape.size() != rank) {
    throw Unsupported(subject + " has the shape " + ToString(shape) + ", not of rank " +
                      std::to_string(rank));
  }
  // The other types that ops ask for have 4 bytes.
  if (tensor.bytes / (type == kTfLiteInt16 ? 2 : 4) < Elements(shape)) {
    throw Unsupported(subject + " has fewer data than its shape " + ToString(shape) + " says");
  }
  return shape;
}

template <typename T>
std::vector<T> NodeView::Constant(int input, const char* name, const Shape& expected) const {
  const Shape shape = ConstantShape(input, name, kTypeOf<T>, expected.size());
  if (shape != expected) {
    throw Unsupported(std::string("its ") + name + " has the shape " + ToString(shape) + ", not " +
                      ToString(expected));
  }
  std::vector<T> values(Elements(shape));
  std::memcpy(values.data(), ConstantData(input), values.size() * sizeof(T));
  return values;
}

template std::vector<float> NodeView::Constant(int, const char*, const Shape&) const;
template std::vector<std::int32_t> NodeView::Constant(int, const char*, const Shape&) const;
template std::vector<std::int16_t> NodeView::Constant(int, const char*, const Shape&) const;

std::vector<int> NodeView::ReadOptions(const std::vector<const char*>& names) const {
  const int size = node_->custom_initial_data_size;
  const IntegerMap map = ReadFlexBufferMap(node_->custom_initial_data, size < 0 ? 0 : size);
  std::vector<int> values;
  for (const char* name : names) {
    const auto found = map.find(name);
    if (found == map.end()) throw Unsupported(std::string("the option '") + name + "' is missing");
    const std::int64_t value = found->second;
    if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
      throw Unsupported(std::string("the option '") + name + "' is out of range");
    }
    values.push_back(static_cast<int>(value));
  }
  // An option that is not known here could change what the op means.
  if (map.size() != names.size()) throw Unsupported("it has options that tfkit does not know");
  return values;
}

TfLiteQuantizationParams Int8Quantization(const TfLiteTensor& tensor, const char* name) {
  const std::string subject = std::string("its ") + name;
  if (tensor.quantization.type != kTfLiteAffineQuantization) {
    throw Unsupported(subject + " is int8 without scale and zero point");
  }
  const float scale = tensor.params.scale;
  const int zero_point = tensor.params.zero_point;
  if (!std::isfinite(scale) || scale <= 0.0f || zero_point < -128 || zero_point > 127) {
    throw Unsupported(subject + " has the scale " + std::to_string(scale) + " and the zero point " +
                      std::to_string(zero_point));
  }
  return tensor.params;
}

}  // namespace tfkit
