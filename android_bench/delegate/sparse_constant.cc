#include "delegate/sparse_constant.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace tfkit {
namespace {

// A file of a few bytes is not to ask for gigabytes: what is larger than this must store one of so
// many values.
constexpr std::size_t kSmall = std::size_t{1} << 20;
constexpr std::size_t kMostZeros = 1024;

int Size(const TfLiteIntArray* array) { return array ? array->size : 0; }

// Puts stored values in their places. The format (TACO's) walks through the dimensions in the order
// of traversal: first the tensor's own, then those of blocks, each of which divides one of them.
class Unpacking {
 public:
  Unpacking(const TfLiteTensor& tensor, const char* name, const Shape& shape)
      : name_(name),
        sparsity_(*tensor.sparsity),
        shape_(shape),
        values_(static_cast<const char*>(tensor.data)),
        count_(tensor.bytes / sizeof(float)),
        dense_(Elements(shape)) {
    Arrange();
  }

  std::vector<float> Values() {
    Walk(0, 0, 0);
    return std::move(dense_);
  }

 private:
  [[noreturn]] void Refuse(const char* what) const {
    throw Unsupported(std::string("its ") + name_ + " is stored sparse, but " + what);
  }

  // How far apart in the dense tensor neighbours along each traversed dimension are.
  void Arrange() {
    const int rank = static_cast<int>(shape_.size());
    const int blocks = Size(sparsity_.block_map);
    const int dims = rank + blocks;
    if (Size(sparsity_.traversal_order) != dims || sparsity_.dim_metadata_size != dims ||
        !sparsity_.dim_metadata) {
      Refuse("has not one entry for each dimension");
    }
    std::vector<std::size_t> strides(dims, 1);
    std::vector<std::size_t> sizes(shape_.begin(), shape_.end());
    for (int axis = rank - 2; axis >= 0; --axis)
      strides[axis] = strides[axis + 1] * shape_[axis + 1];
    sizes.resize(dims, 0);

    std::vector<int> place(dims, -1);  // of each dimension in the traversal
    for (int i = 0; i < dims; ++i) {
      const int dim = sparsity_.traversal_order->data[i];
      if (dim < 0 || dim >= dims || place[dim] != -1) Refuse("its traversal order is none");
      place[dim] = i;
    }
    std::vector<bool> divided(rank, false);
    for (int block = 0; block < blocks; ++block) {
      const int axis = sparsity_.block_map->data[block];
      if (axis < 0 || axis >= rank || divided[axis])
        Refuse("a block divides no dimension, or one again");
      divided[axis] = true;
      const TfLiteDimensionMetadata& dim = sparsity_.dim_metadata[place[rank + block]];
      if (dim.format != 0 || dim.dense_size < 1 || shape_[axis] % dim.dense_size != 0) {
        Refuse("a block does not divide its dimension");
      }
      sizes[rank + block] = dim.dense_size;
      strides[rank + block] = strides[axis];
      sizes[axis] = shape_[axis] / dim.dense_size;
      strides[axis] *= dim.dense_size;
    }
    for (int i = 0; i < dims; ++i) {
      const int dim = sparsity_.traversal_order->data[i];
      steps_.push_back({sizes[dim], strides[dim]});
      CheckDimension(sparsity_.dim_metadata[i], sizes[dim]);
    }
  }

  void CheckDimension(const TfLiteDimensionMetadata& dim, std::size_t size) const {
    if (dim.format == 0) {
      if (dim.dense_size < 0 || static_cast<std::size_t>(dim.dense_size) != size) {
        Refuse("a dimension has another size than the tensor");
      }
      return;
    }
    const int segments = Size(dim.array_segments);
    const int indices = Size(dim.array_indices);
    if (dim.format != 1 || segments < 1) Refuse("a dimension is of no known format");
    for (int i = 0; i < segments; ++i) {
      const int from = i == 0 ? 0 : dim.array_segments->data[i - 1];
      if (dim.array_segments->data[i] < from || dim.array_segments->data[i] > indices) {
        Refuse("its segments do not rise to the number of its indices");
      }
    }
    for (int i = 0; i < indices; ++i) {
      const int index = dim.array_indices->data[i];
      if (index < 0 || static_cast<std::size_t>(index) >= size) Refuse("an index is out of range");
    }
  }

  // `entry` counts what the dimensions before this one have stored up to here.
  void Walk(std::size_t step, std::size_t entry, std::size_t offset) {
    if (step == steps_.size()) {
      if (entry >= count_) Refuse("has fewer values than places");
      std::memcpy(&dense_[offset], values_ + entry * sizeof(float), sizeof(float));
      return;
    }
    const TfLiteDimensionMetadata& dim = sparsity_.dim_metadata[step];
    if (dim.format == 0) {
      for (std::size_t i = 0; i < steps_[step].size; ++i) {
        Walk(step + 1, entry * steps_[step].size + i, offset + i * steps_[step].stride);
      }
      return;
    }
    if (entry + 1 >= static_cast<std::size_t>(dim.array_segments->size))
      Refuse("a segment is missing");
    for (int i = dim.array_segments->data[entry]; i < dim.array_segments->data[entry + 1]; ++i) {
      Walk(step + 1, i, offset + dim.array_indices->data[i] * steps_[step].stride);
    }
  }

  struct Step {
    std::size_t size;
    std::size_t stride;
  };

  const char* name_;
  const TfLiteSparsity& sparsity_;
  const Shape& shape_;
  const char* values_;
  std::size_t count_;
  std::vector<Step> steps_;
  std::vector<float> dense_;
};

}  // namespace

std::size_t LeastZeros(const TfLiteTensor& tensor, std::size_t count) {
  const std::size_t stored = std::min(tensor.data ? tensor.bytes / sizeof(float) : 0, count);
  if (tensor.sparsity) return count - stored;
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < stored; ++i) {
    float value;  // the model's bytes need not be aligned
    std::memcpy(&value, static_cast<const char*>(tensor.data) + i * sizeof(float), sizeof(float));
    zeros += value == 0.0f;
  }
  return zeros;
}

std::vector<float> DenseValues(const TfLiteTensor& tensor, const char* name, const Shape& shape) {
  const std::string subject = std::string("its ") + name;
  if (tensor.allocation_type != kTfLiteMmapRo || !tensor.data) {
    throw Unsupported(subject + " is not a constant of the model");
  }
  if (tensor.type != kTfLiteFloat32) throw Unsupported(subject + " is not float32");
  const std::size_t count = Elements(shape);
  if (tensor.sparsity) {
    if (count > kSmall && count / kMostZeros > tensor.bytes / sizeof(float)) {
      throw Unsupported(subject + " is stored sparse and large, with next to no values");
    }
    return Unpacking(tensor, name, shape).Values();
  }
  if (tensor.bytes / sizeof(float) < count) {
    throw Unsupported(subject + " has fewer data than its shape " + ToString(shape) + " says");
  }
  std::vector<float> values(count);
  std::memcpy(values.data(), tensor.data, count * sizeof(float));
  return values;
}

}  // namespace tfkit
