#include "delegate/options.h"

#include <charconv>
#include <stdexcept>
#include <string_view>

#include "kernels/names.h"

namespace tfkit {
namespace {

constexpr int kMaxThreads = 256;

[[noreturn]] void Reject(std::string_view option, std::string_view got,
                         const std::string& accepted) {
  throw std::invalid_argument("tfkit delegate: " + std::string(option) + " = '" + std::string(got) +
                              "' is not accepted; use " + accepted);
}

int ParseThreads(std::string_view text) {
  int threads = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, threads);
  if (error != std::errc() || stop != end || threads < 1 || threads > kMaxThreads) {
    Reject("num_threads", text, "an integer from 1 to " + std::to_string(kMaxThreads));
  }
  return threads;
}

bool ParseSwitch(std::string_view option, std::string_view text) {
  for (std::string_view yes : {"1", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "false", "False"}) {
    if (text == no) return false;
  }
  Reject(option, text, "0 or 1");
}

std::string ParseKernel(std::string_view source, std::string_view name) {
  if (!IsKernelName(name)) Reject(source, name, "one of: " + KernelNames());
  return std::string(name);
}

}  // namespace

Options ParseOptions(const char* const* keys, const char* const* values, std::size_t count,
                     const char* environment_kernel) {
  Options options;
  for (std::size_t i = 0; i < count; ++i) {
    if (!keys || !values || !keys[i] || !values[i]) {
      throw std::invalid_argument("tfkit delegate: an option without name or value");
    }
    const std::string_view key = keys[i];
    const std::string_view value = values[i];
    if (key == "num_threads") {
      options.num_threads = ParseThreads(value);
    } else if (key == "kernel") {
      options.kernel = ParseKernel(key, value);
    } else if (key == "profile") {
      options.profile = ParseSwitch(key, value);
    } else {
      throw std::invalid_argument("tfkit delegate: there is no option '" + std::string(key) +
                                  "'; the options are num_threads, kernel and profile");
    }
  }
  if (options.kernel.empty() && environment_kernel && *environment_kernel) {
    options.kernel = ParseKernel("the environment variable TFKIT_KERNEL", environment_kernel);
  }
  return options;
}

}  // namespace tfkit
