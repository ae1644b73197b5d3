// The functions that libtfkit_delegate.so exports.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "delegate/delegate.h"
#include "delegate/options.h"
#include "delegate/report.h"

#define TFKIT_EXPORT __attribute__((visibility("default")))

extern "C" {

// TFLite's entry points for external delegates.
TFKIT_EXPORT TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys,
                                                           const char* const* values,
                                                           std::size_t count,
                                                           void (*report_error)(const char*)) {
  try {
    return tfkit::Delegate::Create(
               tfkit::ParseOptions(keys, values, count, std::getenv("TFKIT_KERNEL")))
        .handle();
  } catch (const std::exception& error) {
    if (report_error) report_error(error.what());
    return nullptr;
  }
}

TFKIT_EXPORT void tflite_plugin_destroy_delegate(TfLiteDelegate* handle) {
  if (handle) tfkit::Delegate::Of(handle).Release();
}

// Writes the report (JSON, README.md) with a final NUL into text [capacity], cut off if it does not
// fit, and returns its full length without the NUL, like snprintf. 0 on failure.
TFKIT_EXPORT std::size_t tfkit_delegate_report(const TfLiteDelegate* handle, char* text,
                                               std::size_t capacity) {
  try {
    const std::string json = tfkit::ToJson(tfkit::Delegate::Of(handle).Report());
    if (text && capacity > 0) {
      const std::size_t length = std::min(json.size(), capacity - 1);
      std::memcpy(text, json.data(), length);
      text[length] = '\0';
    }
    return json.size();
  } catch (const std::exception&) {
    return 0;
  }
}

}  // extern "C"
