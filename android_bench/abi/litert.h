// The part of LiteRT's C interface that the runner uses, declared here because the wheels ship no
// headers.
//
// Facts (names, order, values, sizes) are those of LiteRT 2.1 to 2.3; nothing of this is linked
// against: runner/litert.cc looks every function up in libLiteRt.so by name.
#ifndef TFKIT_ABI_LITERT_H_
#define TFKIT_ABI_LITERT_H_

#include <cstddef>
#include <cstdint>

extern "C" {

using LiteRtStatus = int;  // 0 is success
constexpr LiteRtStatus kLiteRtStatusOk = 0;
constexpr LiteRtStatus kLiteRtStatusErrorRuntimeFailure = 3;

// Handles are opaque; distinct struct names keep the compiler watching over their use.
using LiteRtEnvironment = struct LiteRtEnvironmentT*;
using LiteRtModel = struct LiteRtModelT*;
using LiteRtSubgraph = struct LiteRtSubgraphT*;
using LiteRtSignature = struct LiteRtSignatureT*;
using LiteRtTensor = struct LiteRtTensorT*;
using LiteRtOp = struct LiteRtOpT*;
using LiteRtOptions = struct LiteRtOptionsT*;
using LiteRtOpaqueOptions = struct LiteRtOpaqueOptionsT*;
using LiteRtCompiledModel = struct LiteRtCompiledModelT*;
using LiteRtTensorBuffer = struct LiteRtTensorBufferT*;
using LiteRtTensorBufferRequirements = struct LiteRtTensorBufferRequirementsT*;
using LiteRtAccelerator = struct LiteRtAcceleratorT*;
using LiteRtAcceleratorConst = const struct LiteRtAcceleratorT*;
using LiteRtProfiler = struct LiteRtProfilerT*;
using LiteRtDelegateWrapper = struct LiteRtDelegateWrapperT*;
using LiteRtRuntimeContext = struct LiteRtRuntimeContextT;
using TfLiteOpaqueDelegate = struct TfLiteOpaqueDelegateT;

using LiteRtParamIndex = std::size_t;
using LiteRtHwAcceleratorSet = int;
constexpr LiteRtHwAcceleratorSet kLiteRtHwAcceleratorNone = 0;
constexpr LiteRtHwAcceleratorSet kLiteRtHwAcceleratorCpu = 1;
constexpr int kLiteRtOpCodeCustom = 32;

struct LiteRtApiVersion {
  int major;
  int minor;
  int patch;
};

constexpr int kLiteRtAnyTypeInt = 2;
struct LiteRtAny {
  std::int32_t type;
  union {
    bool bool_value;
    std::int64_t int_value;
    double real_value;
    const char* str_value;
    const void* ptr_value;
  };
};
static_assert(sizeof(LiteRtAny) == 16 && offsetof(LiteRtAny, int_value) == 8, "LiteRtAny");

constexpr std::int32_t kLiteRtEnvOptionTagAutoRegisterAccelerators = 24;
constexpr std::int32_t kLiteRtEnvOptionTagMinLoggerSeverity = 25;
constexpr std::int64_t kLiteRtLogSeverityError = 3;
struct LiteRtEnvOption {
  std::int32_t tag;
  LiteRtAny value;
};
static_assert(sizeof(LiteRtEnvOption) == 24 && offsetof(LiteRtEnvOption, value) == 8,
              "LiteRtEnvOption");

constexpr int kLiteRtTensorMaxRank = 8;
struct LiteRtLayout {
  unsigned int rank : 7;
  unsigned int has_strides : 1;
  std::int32_t dimensions[kLiteRtTensorMaxRank];
  std::uint32_t strides[kLiteRtTensorMaxRank];
};
static_assert(sizeof(LiteRtLayout) == 68 && offsetof(LiteRtLayout, dimensions) == 4 &&
                  offsetof(LiteRtLayout, strides) == 36,
              "LiteRtLayout");

enum LiteRtElementType : std::int32_t {
  kLiteRtElementTypeFloat32 = 1,
  kLiteRtElementTypeInt32 = 2,
  kLiteRtElementTypeUInt8 = 3,
  kLiteRtElementTypeInt64 = 4,
  kLiteRtElementTypeBool = 6,
  kLiteRtElementTypeInt16 = 7,
  kLiteRtElementTypeInt8 = 9,
  kLiteRtElementTypeFloat16 = 10,
};

struct LiteRtRankedTensorType {
  LiteRtElementType element_type;
  LiteRtLayout layout;
};
static_assert(sizeof(LiteRtRankedTensorType) == 72 && offsetof(LiteRtRankedTensorType, layout) == 4,
              "LiteRtRankedTensorType");

constexpr int kLiteRtTensorBufferTypeHostMemory = 1;
constexpr int kLiteRtTensorBufferLockModeRead = 0;
constexpr int kLiteRtTensorBufferLockModeWrite = 1;

constexpr int kLiteRtProfilerEventTypeOp = 2;
constexpr int kLiteRtProfilerEventTypeDelegateOp = 8;
// Anything above is telemetry, whose durations mean nothing.
constexpr int kLiteRtProfilerEventTypeLast = 16;
struct ProfiledEventData {
  const char* tag;  // the profiler's, until it is reset
  std::int32_t event_type;
  std::uint64_t start_timestamp_us;
  std::uint64_t elapsed_time_us;
  std::size_t begin_mem_usage[3];
  std::size_t end_mem_usage[3];
  std::uint64_t event_metadata1;  // of an op: its node
  std::uint64_t event_metadata2;  // and subgraph
  std::int32_t event_source;
};
static_assert(sizeof(ProfiledEventData) == 104 && offsetof(ProfiledEventData, event_source) == 96,
              "ProfiledEventData");

using LiteRtCreateDelegateCallback = LiteRtStatus (*)(LiteRtRuntimeContext*, LiteRtEnvironment,
                                                      LiteRtAcceleratorConst, LiteRtOptions,
                                                      LiteRtDelegateWrapper*);

// The beginning of an accelerator's definition, as LiteRT 2.1.6 to 2.3.0 lay it out. The first word
// is a version, or from 2.2 on a version behind the size of all.
constexpr std::uint32_t kLiteRtAcceleratorDefVersion = 1;
constexpr std::uint32_t kLiteRtAcceleratorDefSizedVersion = 1 << 16 | 200;
struct LiteRtAcceleratorDef {
  std::uint32_t version;
  LiteRtStatus (*get_name)(LiteRtAcceleratorConst, const char**);
  LiteRtStatus (*get_version)(LiteRtAcceleratorConst, LiteRtApiVersion*);
  LiteRtStatus (*get_hardware_support)(LiteRtAcceleratorConst, LiteRtHwAcceleratorSet*);
  LiteRtStatus (*is_jit)(LiteRtAcceleratorConst, bool*);
  LiteRtCreateDelegateCallback create_delegate;
  void* destroy_delegate;  // null: the delegate's wrapper knows
};
static_assert(sizeof(LiteRtAcceleratorDef) == 56 &&
                  offsetof(LiteRtAcceleratorDef, create_delegate) == 40,
              "LiteRtAcceleratorDef");

}  // extern "C"

// XNNPACK's definition, a pointer in the library's data.
#define TFKIT_LITERT_CPU_ACCELERATOR "LiteRtStaticLinkedAcceleratorCpuDef"

// Every function the runner calls: X(return type, name without "LiteRt", parameters).
#define TFKIT_LITERT_FUNCTIONS(X)                                                               \
  X(LiteRtStatus, CreateEnvironment, (int, const LiteRtEnvOption*, LiteRtEnvironment*))         \
  X(void, DestroyEnvironment, (LiteRtEnvironment))                                              \
  X(LiteRtStatus, CreateAccelerator, (LiteRtAccelerator*))                                      \
  X(LiteRtStatus, SetAcceleratorGetName,                                                        \
    (LiteRtAccelerator, LiteRtStatus (*)(LiteRtAcceleratorConst, const char**)))                \
  X(LiteRtStatus, SetAcceleratorGetVersion,                                                     \
    (LiteRtAccelerator, LiteRtStatus (*)(LiteRtAcceleratorConst, LiteRtApiVersion*)))           \
  X(LiteRtStatus, SetAcceleratorGetHardwareSupport,                                             \
    (LiteRtAccelerator, LiteRtStatus (*)(LiteRtAcceleratorConst, LiteRtHwAcceleratorSet*)))     \
  X(LiteRtStatus, SetDelegateFunction, (LiteRtAccelerator, LiteRtCreateDelegateCallback))       \
  X(LiteRtStatus, RegisterAccelerator,                                                          \
    (LiteRtEnvironment, LiteRtAccelerator, void*, void (*)(void*)))                             \
  X(LiteRtStatus, WrapDelegate,                                                                 \
    (TfLiteOpaqueDelegate*, void (*)(TfLiteOpaqueDelegate*), LiteRtDelegateWrapper*))           \
  X(LiteRtStatus, CreateModelFromBuffer,                                                        \
    (LiteRtEnvironment, const void*, std::size_t, LiteRtModel*))                                \
  X(void, DestroyModel, (LiteRtModel))                                                          \
  X(LiteRtStatus, GetNumModelSubgraphs, (LiteRtModel, LiteRtParamIndex*))                       \
  X(LiteRtStatus, GetModelSubgraph, (LiteRtModel, LiteRtParamIndex, LiteRtSubgraph*))           \
  X(LiteRtStatus, GetNumSubgraphOps, (LiteRtSubgraph, LiteRtParamIndex*))                       \
  X(LiteRtStatus, GetSubgraphOp, (LiteRtSubgraph, LiteRtParamIndex, LiteRtOp*))                 \
  X(LiteRtStatus, GetOpCode, (LiteRtOp, int*))                                                  \
  X(LiteRtStatus, GetCustomCode, (LiteRtOp, const char**))                                      \
  X(LiteRtStatus, GetModelSignature, (LiteRtModel, LiteRtParamIndex, LiteRtSignature*))         \
  X(LiteRtStatus, GetNumSignatureInputs, (LiteRtSignature, LiteRtParamIndex*))                  \
  X(LiteRtStatus, GetNumSignatureOutputs, (LiteRtSignature, LiteRtParamIndex*))                 \
  X(LiteRtStatus, GetSignatureInputName, (LiteRtSignature, LiteRtParamIndex, const char**))     \
  X(LiteRtStatus, GetSignatureOutputName, (LiteRtSignature, LiteRtParamIndex, const char**))    \
  X(LiteRtStatus, GetSignatureInputTensorByIndex,                                               \
    (LiteRtSignature, LiteRtParamIndex, LiteRtTensor*))                                         \
  X(LiteRtStatus, GetSignatureOutputTensorByIndex,                                              \
    (LiteRtSignature, LiteRtParamIndex, LiteRtTensor*))                                         \
  X(LiteRtStatus, GetRankedTensorType, (LiteRtTensor, LiteRtRankedTensorType*))                 \
  X(LiteRtStatus, CreateOptions, (LiteRtOptions*))                                              \
  X(void, DestroyOptions, (LiteRtOptions))                                                      \
  X(LiteRtStatus, SetOptionsHardwareAccelerators, (LiteRtOptions, LiteRtHwAcceleratorSet))      \
  X(LiteRtStatus, CreateOpaqueOptions,                                                          \
    (const char*, void*, void (*)(void*), LiteRtOpaqueOptions*))                                \
  X(LiteRtStatus, AddOpaqueOptions, (LiteRtOptions, LiteRtOpaqueOptions))                       \
  X(LiteRtStatus, CreateCompiledModel,                                                          \
    (LiteRtEnvironment, LiteRtModel, LiteRtOptions, LiteRtCompiledModel*))                      \
  X(void, DestroyCompiledModel, (LiteRtCompiledModel))                                          \
  X(LiteRtStatus, CompiledModelResizeInputTensor,                                               \
    (LiteRtCompiledModel, LiteRtParamIndex, LiteRtParamIndex, const int*, std::size_t))         \
  X(LiteRtStatus, GetCompiledModelOutputTensorLayouts,                                          \
    (LiteRtCompiledModel, LiteRtParamIndex, std::size_t, LiteRtLayout*, bool))                  \
  X(LiteRtStatus, GetCompiledModelInputBufferRequirements,                                      \
    (LiteRtCompiledModel, LiteRtParamIndex, LiteRtParamIndex, LiteRtTensorBufferRequirements*)) \
  X(LiteRtStatus, GetCompiledModelOutputBufferRequirements,                                     \
    (LiteRtCompiledModel, LiteRtParamIndex, LiteRtParamIndex, LiteRtTensorBufferRequirements*)) \
  X(LiteRtStatus, GetTensorBufferRequirementsBufferSize,                                        \
    (LiteRtTensorBufferRequirements, std::size_t*))                                             \
  X(LiteRtStatus, CreateManagedTensorBuffer,                                                    \
    (LiteRtEnvironment, int, const LiteRtRankedTensorType*, std::size_t, LiteRtTensorBuffer*))  \
  X(void, DestroyTensorBuffer, (LiteRtTensorBuffer))                                            \
  X(LiteRtStatus, LockTensorBuffer, (LiteRtTensorBuffer, void**, int))                          \
  X(LiteRtStatus, UnlockTensorBuffer, (LiteRtTensorBuffer))                                     \
  X(LiteRtStatus, CompiledModelGetProfiler, (LiteRtCompiledModel, LiteRtProfiler*))             \
  X(LiteRtStatus, StartProfiler, (LiteRtProfiler))                                              \
  X(LiteRtStatus, StopProfiler, (LiteRtProfiler))                                               \
  X(LiteRtStatus, ResetProfiler, (LiteRtProfiler))                                              \
  X(LiteRtStatus, GetNumProfilerEvents, (LiteRtProfiler, int*))                                 \
  X(LiteRtStatus, GetProfilerEvents, (LiteRtProfiler, int, ProfiledEventData*))                 \
  X(LiteRtStatus, RunCompiledModel,                                                             \
    (LiteRtCompiledModel, LiteRtParamIndex, std::size_t, LiteRtTensorBuffer*, std::size_t,      \
     LiteRtTensorBuffer*))

#endif  // TFKIT_ABI_LITERT_H_
