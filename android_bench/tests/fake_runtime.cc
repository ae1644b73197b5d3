#include "tests/fake_runtime.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace tfkit::testing {
namespace {

std::size_t Bytes(const TfLiteTensor& tensor) {
  std::size_t bytes = tensor.type == kTfLiteInt8 ? 1 : 4;
  for (int axis = 0; axis < tensor.dims->size; ++axis) bytes *= tensor.dims->data[axis];
  return bytes;
}

}  // namespace

FakeRuntime::FakeRuntime(FakeGraph graph) : graph_(std::move(graph)) {
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
    node.custom_initial_data = fake.options.data();
    node.custom_initial_data_size = static_cast<int>(fake.options.size());
    nodes_.push_back(node);
    TfLiteRegistration registration{};
    registration.builtin_code = kTfLiteBuiltinCustom;
    registration.custom_name = fake.op.c_str();
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

bool FakeRuntime::Apply(TfLiteDelegate* delegate) {
  return delegate->Prepare(&context_, delegate) == kTfLiteOk;
}

bool FakeRuntime::Allocate() {
  // Graph inputs; the outputs get their memory when the kernel sizes them.
  std::set<int> written;
  for (const FakeNode& node : graph_.nodes) {
    written.insert(node.outputs.begin(), node.outputs.end());
  }
  for (int i = 0; i < static_cast<int>(tensors_.size()); ++i) {
    if (graph_.tensors[i].constant || written.count(i) != 0) continue;
    ResizeInput(i, std::vector<int>(tensors_[i].dims->data,
                                    tensors_[i].dims->data + tensors_[i].dims->size));
  }
  return kernel_.prepare(&context_, &kernel_node_) == kTfLiteOk;
}

bool FakeRuntime::Invoke() { return kernel_.invoke(&context_, &kernel_node_) == kTfLiteOk; }

void FakeRuntime::ResizeInput(int index, const std::vector<int>& shape) {
  TfLiteTensor& tensor = tensors_[index];
  tensor.dims = NewArray(shape);
  tensor.bytes = Bytes(tensor);
  memory_[index].assign((tensor.bytes + 7) / 8, 0);
  tensor.data = memory_[index].data();
}

TfLiteStatus FakeRuntime::GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan) {
  *plan = Of(context).plan_;
  return kTfLiteOk;
}

TfLiteStatus FakeRuntime::Resize(TfLiteContext* context, TfLiteTensor* tensor,
                                 TfLiteIntArray* dims) {
  FakeRuntime& runtime = Of(context);
  runtime.ResizeInput(static_cast<int>(tensor - runtime.tensors_.data()),
                      std::vector<int>(dims->data, dims->data + dims->size));
  std::free(dims);
  return kTfLiteOk;
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
                                  const TfLiteIntArray*, TfLiteDelegate* delegate) {
  FakeRuntime& runtime = Of(context);
  TfLiteDelegateParams params{};
  params.delegate = delegate;
  params.nodes_to_replace = runtime.plan_;
  params.input_tensors = runtime.NewArray({});
  params.output_tensors = runtime.NewArray(runtime.graph_.outputs);
  runtime.kernel_ = registration;
  runtime.kernel_node_.user_data =
      registration.init(context, reinterpret_cast<const char*>(&params), sizeof params);
  return kTfLiteOk;
}

}  // namespace tfkit::testing
