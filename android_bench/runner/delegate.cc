#include "runner/delegate.h"

#include <dlfcn.h>

#include <vector>

#include "runner/accelerator.h"
#include "runner/failure.h"

namespace tfkit::runner {
namespace {

using CreateFn = TfLiteOpaqueDelegate* (*)(const char* const*, const char* const*, std::size_t,
                                           void (*)(const char*));
using DestroyFn = void (*)(TfLiteOpaqueDelegate*);
using ReportFn = std::size_t (*)(const TfLiteOpaqueDelegate*, char*, std::size_t);

// LiteRT's callbacks get no user data that could carry these, and the process runs one delegate.
struct Plugin {
  const LiteRt* litert = nullptr;
  CreateFn create = nullptr;
  DestroyFn destroy = nullptr;
  ReportFn report = nullptr;               // absent in other people's delegates
  TfLiteOpaqueDelegate* handle = nullptr;  // owned by the compiled model
  DelegateOptions options;
  std::string error;
} plugin;

void ReportError(const char* message) {
  if (!plugin.error.empty()) plugin.error += "; ";
  plugin.error += message;
}

LiteRtStatus CreateDelegate(LiteRtRuntimeContext*, LiteRtEnvironment, LiteRtAcceleratorConst,
                            LiteRtOptions, LiteRtDelegateWrapper* wrapper) {
  const std::string threads = std::to_string(plugin.options.threads);
  std::vector<const char*> keys = {"num_threads"};
  std::vector<const char*> values = {threads.c_str()};
  if (!plugin.options.kernel.empty()) {
    keys.push_back("kernel");
    values.push_back(plugin.options.kernel.c_str());
  }
  if (plugin.options.profile) {
    keys.push_back("profile");
    values.push_back("1");
  }
  TfLiteOpaqueDelegate* delegate =
      plugin.create(keys.data(), values.data(), keys.size(), ReportError);
  if (delegate == nullptr) {
    if (plugin.error.empty()) plugin.error = "the delegate refused to start";
    return kLiteRtStatusErrorRuntimeFailure;
  }
  plugin.handle = delegate;
  return plugin.litert->WrapDelegate(delegate, plugin.destroy, wrapper);
}

}  // namespace

void RegisterDelegate(const LiteRt& litert, LiteRtEnvironment environment,
                      const DelegateOptions& options) {
  void* library = dlopen(options.library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Failure(std::string("cannot load the delegate: ") + dlerror());
  plugin.litert = &litert;
  plugin.options = options;
  plugin.create = reinterpret_cast<CreateFn>(dlsym(library, "tflite_plugin_create_delegate"));
  plugin.destroy = reinterpret_cast<DestroyFn>(dlsym(library, "tflite_plugin_destroy_delegate"));
  plugin.report = reinterpret_cast<ReportFn>(dlsym(library, "tfkit_delegate_report"));
  if (plugin.create == nullptr || plugin.destroy == nullptr) {
    throw Failure(options.library +
                  " is no TFLite external delegate: it lacks tflite_plugin_create_delegate");
  }
  RegisterAccelerator(litert, environment, CreateDelegate);
}

std::string DelegateReport() {
  if (plugin.report == nullptr || plugin.handle == nullptr) return "";
  std::string text(plugin.report(plugin.handle, nullptr, 0), '\0');
  plugin.report(plugin.handle, text.data(), text.size() + 1);
  return text;
}

std::string TakeDelegateError() {
  std::string error;
  error.swap(plugin.error);
  return error;
}

}  // namespace tfkit::runner
