// A delegate that claims nothing: it writes what abi/tflite.h reads from a running runtime to a
// file, one line per tensor and per custom node. tests/android_bench compares it with what Python
// knows.
#include <cstdio>
#include <cstring>

#include "abi/tflite.h"

#define TFKIT_EXPORT __attribute__((visibility("default")))

namespace {

struct Probe {
  TfLiteDelegate handle{};
  char path[4096] = "";
};

TfLiteStatus WriteLayout(TfLiteContext* context, TfLiteDelegate* handle) {
  std::FILE* file = std::fopen(static_cast<Probe*>(handle->data_)->path, "w");
  if (!file) return kTfLiteError;
  for (std::size_t i = 0; i < context->tensors_size; ++i) {
    const TfLiteTensor& tensor = context->tensors[i];
    std::fprintf(file, "tensor\t%zu\t%s\t%d\t%zu\t%.9g\t%d\t%d\t%d", i, tensor.name, tensor.type,
                 tensor.bytes, static_cast<double>(tensor.params.scale), tensor.params.zero_point,
                 tensor.quantization.type == kTfLiteAffineQuantization,
                 tensor.allocation_type == kTfLiteMmapRo);
    for (int axis = 0; axis < tensor.dims->size; ++axis) {
      std::fprintf(file, "\t%d", tensor.dims->data[axis]);
    }
    std::fputc('\n', file);
  }
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) plan = nullptr;
  for (int i = 0; plan && i < plan->size; ++i) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) !=
        kTfLiteOk) {
      continue;
    }
    std::fprintf(
        file, "node\t%d\t%s\t%d\t%d\t%d", plan->data[i],
        registration->builtin_code == kTfLiteBuiltinCustom ? registration->custom_name : "",
        registration->version, node->custom_initial_data_size, node->outputs->data[0]);
    for (int k = 0; k < node->inputs->size; ++k) std::fprintf(file, "\t%d", node->inputs->data[k]);
    std::fputc('\n', file);
  }
  return std::fclose(file) == 0 ? kTfLiteOk : kTfLiteError;
}

}  // namespace

extern "C" {

TFKIT_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys,
                                                           const char* const* values,
                                                           std::size_t count,
                                                           void (*report_error)(const char*)) {
  if (count != 1 || std::strcmp(keys[0], "path") != 0 ||
      std::strlen(values[0]) >= sizeof(Probe::path)) {
    report_error("the probe's one option is `path`");
    return nullptr;
  }
  auto* probe = new Probe;
  std::strcpy(probe->path, values[0]);
  probe->handle.data_ = probe;
  probe->handle.Prepare = WriteLayout;
  probe->handle.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &probe->handle;
}

TFKIT_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* handle) {
  delete static_cast<Probe*>(handle->data_);
}

}  // extern "C"
