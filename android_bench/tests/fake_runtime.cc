#include "tests/fake_runtime.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace tfkit::testing {
namespace {

// -1 where the runtime refuses.
std::int64_t Bytes(TfLiteType type, const std::vector<int>& shape, std::int64_t max_bytes) {
  std::int64_t bytes = type == kTfLiteInt8 ? 1 : 4;
  for (int size : shape) {
    if (size < 0 || size > max_bytes) return -1;
    bytes *= size;
    if (bytes > max_bytes) return -1;
  }
  return bytes;
}

void* BuiltinData(FakeNode& node) {
  switch (node.builtin_code) {
    case kTfLiteBuiltinAdd:
      return &node.add;
    case kTfLiteBuiltinConv2d:
      return &node.conv;
    case kTfLiteBuiltinFullyConnected:
      return &node.fully_connected;
    default:
      return nullptr;
  }
}

}  // namespace

FakeRuntime::FakeRuntime(FakeGraph graph, std::int64_t max_bytes)
    : graph_(std::move(graph)), max_bytes_(max_bytes) {
  context_.impl = this;
  context_.GetExecutionPlan = GetExecutionPlan;
  context_.ResizeTensor = Resize;
  context_.ReportError = ReportError;
  context_.GetNodeAndRegistration = GetNode;
  context_.ReplaceNodeSubsetsWithDelegateKernels = Replace;
  for (FakeTensor& fake : graph_.tensors) {
    TfLiteTensor tensor{};
    tensor.type = fake.type;
    tensor.dims = NewArray(fake.shape);
    tensor.name = "";
    if (fake.scale != 0) {
      tensor.quantization.type = kTfLiteAffineQuantization;
      tensor.params = {fake.scale, fake.zero_point};
    }
    tensor.sparsity = fake.sparse ? NewSparsity(fake.sparsity) : nullptr;
    tensor.is_variable = fake.variable;
    if (fake.constant) {
      tensor.allocation_type = kTfLiteMmapRo;
      tensor.data = fake.data.data();
      tensor.bytes = fake.data.size();
    } else {
      tensor.allocation_type = kTfLiteArenaRw;
    }
    tensors_.push_back(tensor);
  }
  memory_.resize(tensors_.size());
  context_.tensors = tensors_.data();
  context_.tensors_size = tensors_.size();
  std::vector<int> plan;
  for (FakeNode& fake : graph_.nodes) {
    plan.push_back(static_cast<int>(plan.size()));
    TfLiteNode node{};
    node.inputs = NewArray(fake.inputs);
    node.outputs = NewArray(fake.outputs);
    node.builtin_data = BuiltinData(fake);
    node.custom_initial_data = fake.options.data();
    node.custom_initial_data_size = static_cast<int>(fake.options.size());
    nodes_.push_back(node);
    TfLiteRegistration registration{};
    registration.builtin_code = fake.builtin_code;
    if (fake.builtin_code == kTfLiteBuiltinCustom) registration.custom_name = fake.op.c_str();
    registration.version = fake.version;
    registrations_.push_back(registration);
  }
  plan_ = NewArray(plan);
}

FakeRuntime::~FakeRuntime() {
  if (kernel_.free) kernel_.free(&context_, kernel_node_.user_data);
}

TfLiteIntArray* FakeRuntime::NewArray(const std::vector<int>& values) {
  arrays_.push_back({static_cast<int>(values.size())});
  arrays_.back().insert(arrays_.back().end(), values.begin(), values.end());
  return reinterpret_cast<TfLiteIntArray*>(arrays_.back().data());
}

const TfLiteSparsity* FakeRuntime::NewSparsity(const FakeSparsity& fake) {
  std::vector<TfLiteDimensionMetadata> dimensions;
  for (const FakeSparsity::Dimension& dimension : fake.dimensions) {
    dimensions.push_back({dimension.format, dimension.dense_size, NewArray(dimension.segments),
                          NewArray(dimension.indices)});
  }
  dimensions_.push_back(std::move(dimensions));
  sparsities_.push_back({NewArray(fake.traversal_order), NewArray(fake.block_map),
                         dimensions_.back().data(), static_cast<int>(dimensions_.back().size())});
  return &sparsities_.back();
}

bool FakeRuntime::Apply(TfLiteDelegate* delegate) {
  return delegate->Prepare(&context_, delegate) == kTfLiteOk;
}

bool FakeRuntime::Allocate() {
  // What the partition reads; its outputs get their memory when it sizes them.
  std::set<int> written;
  for (int node : claimed_) {
    written.insert(graph_.nodes[node].outputs.begin(), graph_.nodes[node].outputs.end());
  }
  for (int i = 0; i < static_cast<int>(tensors_.size()); ++i) {
    if (graph_.tensors[i].constant || written.count(i) != 0) continue;
    const TfLiteIntArray& dims = *tensors_[i].dims;
    if (!ResizeInput(i, std::vector<int>(dims.data, dims.data + dims.size))) return false;
  }
  return kernel_.prepare(&context_, &kernel_node_) == kTfLiteOk;
}

bool FakeRuntime::Invoke() { return kernel_.invoke(&context_, &kernel_node_) == kTfLiteOk; }

bool FakeRuntime::ResizeInput(int index, const std::vector<int>& shape) {
  TfLiteTensor& tensor = tensors_[index];
  const std::int64_t bytes = Bytes(tensor.type, shape, max_bytes_);
  if (bytes < 0) return false;
  tensor.dims = NewArray(shape);
  tensor.bytes = bytes;
  memory_[index].assign((tensor.bytes + 7) / 8, 0);
  tensor.data = memory_[index].data();
  return true;
}

TfLiteStatus FakeRuntime::GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan) {
  *plan = Of(context).plan_;
  return kTfLiteOk;
}

TfLiteStatus FakeRuntime::Resize(TfLiteContext* context, TfLiteTensor* tensor,
                                 TfLiteIntArray* dims) {
  FakeRuntime& runtime = Of(context);
  const std::vector<int> shape(dims->data, dims->data + dims->size);
  std::free(dims);
  const bool done = runtime.ResizeInput(static_cast<int>(tensor - runtime.tensors_.data()), shape);
  return done ? kTfLiteOk : kTfLiteError;
}

void FakeRuntime::ReportError(TfLiteContext* context, const char* format, ...) {
  char text[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  Of(context).errors_ += text;
}

TfLiteStatus FakeRuntime::GetNode(TfLiteContext* context, int index, TfLiteNode** node,
                                  TfLiteRegistration** registration) {
  FakeRuntime& runtime = Of(context);
  *node = &runtime.nodes_[index];
  *registration = &runtime.registrations_[index];
  return kTfLiteOk;
}

TfLiteStatus FakeRuntime::Replace(TfLiteContext* context, TfLiteRegistration registration,
                                  const TfLiteIntArray* nodes, TfLiteDelegate* delegate) {
  FakeRuntime& runtime = Of(context);
  runtime.claimed_.assign(nodes->data, nodes->data + nodes->size);
  std::vector<int> outputs = runtime.graph_.outputs;
  for (int node = 0; node < static_cast<int>(runtime.graph_.nodes.size()); ++node) {
    if (std::count(runtime.claimed_.begin(), runtime.claimed_.end(), node) != 0) continue;
    const std::vector<int>& read = runtime.graph_.nodes[node].inputs;
    outputs.insert(outputs.end(), read.begin(), read.end());
  }
  TfLiteDelegateParams params{};
  params.delegate = delegate;
  params.nodes_to_replace = runtime.NewArray(runtime.claimed_);
  params.input_tensors = runtime.NewArray({});
  params.output_tensors = runtime.NewArray(outputs);
  runtime.kernel_ = registration;
  runtime.kernel_node_.user_data =
      registration.init(context, reinterpret_cast<const char*>(&params), sizeof params);
  return kTfLiteOk;
}

}  // namespace tfkit::testing
