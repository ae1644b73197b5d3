// As much of a TFLite interpreter as a delegate sees, for one graph. What the delegate claims
// becomes one partition; nobody runs the other nodes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "abi/tflite.h"

namespace tfkit::testing {

// Of a constant that is stored sparse; without dimensions, one that makes no sense.
struct FakeSparsity {
  struct Dimension {
    int format = 0;
    int dense_size = 0;
    std::vector<int> segments;
    std::vector<int> indices;
  };
  std::vector<int> traversal_order;
  std::vector<int> block_map;
  std::vector<Dimension> dimensions;
};

struct FakeTensor {
  TfLiteType type = kTfLiteFloat32;
  std::vector<int> shape;
  bool constant = false;
  std::vector<std::uint8_t> data;
  float scale = 0;  // 0: not quantized
  int zero_point = 0;
  bool sparse = false;
  FakeSparsity sparsity{};
  bool variable = false;
};

struct FakeNode {
  std::string op;
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::vector<std::uint8_t> options;
  int version = 1;
  // Of the runtime's own ops: the code of ADD, say, and its options.
  int builtin_code = kTfLiteBuiltinCustom;
  TfLiteAddParams add{};
  TfLiteConvParams conv{};
  TfLiteFullyConnectedParams fully_connected{};
};

struct FakeGraph {
  std::vector<FakeTensor> tensors;
  std::vector<FakeNode> nodes;
  std::vector<int> outputs;
};

class FakeRuntime {
 public:
  // Refuses tensors of more than `max_bytes`, as a machine with little memory would.
  explicit FakeRuntime(FakeGraph, std::int64_t max_bytes = 1 << 24);
  ~FakeRuntime();
  FakeRuntime(const FakeRuntime&) = delete;
  FakeRuntime& operator=(const FakeRuntime&) = delete;

  // What Interpreter::ModifyGraphWithDelegate, AllocateTensors and Invoke make of a delegate.
  bool Apply(TfLiteDelegate*);
  bool Allocate();
  bool Invoke();

  void Recommend(int threads) { context_.recommended_num_threads = threads; }
  // False, like the real runtime's error, for sizes that it would not allocate.
  bool ResizeInput(int tensor, const std::vector<int>& shape);
  TfLiteTensor& tensor(int index) { return tensors_[index]; }
  const std::string& errors() const { return errors_; }
  bool claimed() const { return kernel_.init != nullptr; }
  const std::vector<int>& claimed_nodes() const { return claimed_; }

 private:
  static FakeRuntime& Of(TfLiteContext* context) {
    return *static_cast<FakeRuntime*>(context->impl);
  }
  TfLiteIntArray* NewArray(const std::vector<int>&);
  const TfLiteSparsity* NewSparsity(const FakeSparsity&);
  static TfLiteStatus GetExecutionPlan(TfLiteContext*, TfLiteIntArray**);
  static TfLiteStatus Resize(TfLiteContext*, TfLiteTensor*, TfLiteIntArray*);
  static void ReportError(TfLiteContext*, const char*, ...);
  static TfLiteStatus GetNode(TfLiteContext*, int, TfLiteNode**, TfLiteRegistration**);
  static TfLiteStatus Replace(TfLiteContext*, TfLiteRegistration, const TfLiteIntArray*,
                              TfLiteDelegate*);

  FakeGraph graph_;
  const std::int64_t max_bytes_;
  TfLiteContext context_{};
  std::vector<TfLiteTensor> tensors_;
  std::vector<std::vector<std::uint64_t>> memory_;  // of the tensors that are not constant
  std::vector<TfLiteNode> nodes_;
  std::vector<TfLiteRegistration> registrations_;
  TfLiteIntArray* plan_ = nullptr;
  std::deque<std::vector<int>> arrays_;
  std::deque<TfLiteSparsity> sparsities_;
  std::deque<std::vector<TfLiteDimensionMetadata>> dimensions_;
  std::vector<int> claimed_;
  TfLiteRegistration kernel_{};  // the delegate's, once it has claimed nodes
  TfLiteNode kernel_node_{};
  std::string errors_;
};

}  // namespace tfkit::testing
