#include "runner/litert.h"

#include <dlfcn.h>

#include "runner/failure.h"

namespace tfkit::runner {
namespace {

const char* StatusName(LiteRtStatus status) {
  switch (status) {
    case 1:
      return "invalid argument";
    case 2:
      return "out of memory";
    case 3:
      return "runtime failure";
    case 4:
      return "missing input tensor";
    case 5:
      return "unsupported";
    case 6:
      return "not found";
    case 8:
      return "wrong version";
    case 500:
      return "file error";
    case 501:
      return "invalid flatbuffer";
    case 502:
      return "dynamic loading failed";
    case 504:
      return "compilation failed";
    default:
      return "error";
  }
}

// Of another layout may be nothing but the version.
bool IsKnown(const LiteRtAcceleratorDef& definition) {
  return (definition.version == kLiteRtAcceleratorDefVersion ||
          definition.version == kLiteRtAcceleratorDefSizedVersion) &&
         definition.get_name != nullptr && definition.get_version != nullptr &&
         definition.get_hardware_support != nullptr && definition.create_delegate != nullptr &&
         definition.destroy_delegate == nullptr;
}

}  // namespace

LiteRt::LiteRt(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Failure(std::string("cannot load LiteRT: ") + dlerror());
#define TFKIT_LOAD(result, name, parameters)                               \
  name = reinterpret_cast<decltype(name)>(dlsym(library, "LiteRt" #name)); \
  if (name == nullptr)                                                     \
    throw Failure(path + " has no function LiteRt" #name ": a LiteRT of 2.1 to 2.3 is needed");
  TFKIT_LITERT_FUNCTIONS(TFKIT_LOAD)
#undef TFKIT_LOAD
  const auto* cpu =
      static_cast<const LiteRtAcceleratorDef* const*>(dlsym(library, TFKIT_LITERT_CPU_ACCELERATOR));
  if (cpu != nullptr && *cpu != nullptr && IsKnown(**cpu)) cpu_accelerator = *cpu;
}

void Check(LiteRtStatus status, const std::string& what) {
  if (status == kLiteRtStatusOk) return;
  throw Failure(what + ": LiteRT status " + std::to_string(status) + " (" + StatusName(status) +
                ")");
}

}  // namespace tfkit::runner
