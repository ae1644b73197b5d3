// The part of TFLite's classic C ABI that an external delegate touches, declared from its facts:
// field order and sizes as in LiteRT's tflite/core/c/common.h, the same in tflite-runtime 2.14,
// TensorFlow 2.21 and ai-edge-litert 2.3. A delegate needs no symbol of the runtime, since every
// function it calls is a pointer in TfLiteContext.
//
// The static_asserts hold the layout on LP64 targets; tests/abi_probe.cc reads it back from
// running runtimes.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

enum TfLiteStatus : int { kTfLiteOk = 0, kTfLiteError = 1 };

enum TfLiteType : int {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteInt16 = 7,
  kTfLiteInt8 = 9,
};

enum TfLiteAllocationType : int {
  kTfLiteMemNone = 0,
  kTfLiteMmapRo = 1,  // a constant of the model file
  kTfLiteArenaRw = 2,
  kTfLitePersistentRo = 5,
};

enum TfLiteQuantizationType : int {
  kTfLiteNoQuantization = 0,
  kTfLiteAffineQuantization = 1,
};

// Builtin operator codes of the flatbuffer schema.
constexpr int kTfLiteBuiltinAdd = 0;
constexpr int kTfLiteBuiltinConv2d = 3;
constexpr int kTfLiteBuiltinFullyConnected = 9;
constexpr int kTfLiteBuiltinCustom = 32;
constexpr int kTfLiteBuiltinDelegate = 51;
constexpr int kTfLiteBuiltinDensify = 124;

constexpr int kTfLiteOptionalTensor = -1;

// A length, and that many ints after it. The runtime releases arrays given to it with free().
struct TfLiteIntArray {
  int size;
  int data[1];
};

struct TfLiteQuantizationParams {
  float scale;
  std::int32_t zero_point;
};

struct TfLiteQuantization {
  TfLiteQuantizationType type;
  void* params;
};

// One dimension of a constant that is stored sparse, in the order in which it is traversed.
struct TfLiteDimensionMetadata {
  int format;      // 0: dense, 1: compressed sparse rows
  int dense_size;  // of a dense dimension
  TfLiteIntArray* array_segments;
  TfLiteIntArray* array_indices;
};

struct TfLiteSparsity {
  TfLiteIntArray* traversal_order;
  TfLiteIntArray* block_map;
  TfLiteDimensionMetadata* dim_metadata;
  int dim_metadata_size;
};

struct TfLiteDelegate;
struct TfLiteContext;

struct TfLiteTensor {
  TfLiteType type;
  void* data;
  TfLiteIntArray* dims;
  TfLiteQuantizationParams params;
  TfLiteAllocationType allocation_type;
  std::size_t bytes;
  const void* allocation;
  const char* name;
  TfLiteDelegate* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  TfLiteQuantization quantization;
  const TfLiteSparsity* sparsity;
  const TfLiteIntArray* dims_signature;
};

struct TfLiteNode {
  TfLiteIntArray* inputs;
  TfLiteIntArray* outputs;
  TfLiteIntArray* intermediates;
  TfLiteIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  TfLiteDelegate* delegate;
  bool might_have_side_effect;
};

// TfLiteNode::builtin_data of ADD.
struct TfLiteAddParams {
  int activation;  // 0: none
  bool pot_scale_int16;
};

// Of CONV_2D; newer runtimes have more behind it.
struct TfLiteConvParams {
  int padding;  // 1: SAME, 2: VALID
  int stride_width;
  int stride_height;
  int activation;  // 0: none, 1: ReLU, 2: to [-1, 1], 3: ReLU6
  int dilation_width_factor;
  int dilation_height_factor;
};

// Of FULLY_CONNECTED; newer runtimes have more behind it.
struct TfLiteFullyConnectedParams {
  int activation;
  int weights_format;  // 0: [outputs][inputs]
  bool keep_num_dims;
};

struct TfLiteRegistration {
  void* (*init)(TfLiteContext*, const char* buffer, std::size_t length);
  void (*free)(TfLiteContext*, void* state);
  TfLiteStatus (*prepare)(TfLiteContext*, TfLiteNode*);
  TfLiteStatus (*invoke)(TfLiteContext*, TfLiteNode*);
  const char* (*profiling_string)(const TfLiteContext*, const TfLiteNode*);
  std::int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* (*async_kernel)(TfLiteContext*, TfLiteNode*);
  std::uint64_t inplace_operator;
};

// What `init` of a delegate kernel finds behind its `buffer` argument: one partition.
struct TfLiteDelegateParams {
  TfLiteDelegate* delegate;
  TfLiteIntArray* nodes_to_replace;
  TfLiteIntArray* input_tensors;
  TfLiteIntArray* output_tensors;
};

// Only the leading fields: the runtime owns the struct and hands out pointers to it.
struct TfLiteContext {
  std::size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext*, TfLiteIntArray** plan);
  TfLiteTensor* tensors;
  void* impl;
  // Takes over `dims`, also when it fails.
  TfLiteStatus (*ResizeTensor)(TfLiteContext*, TfLiteTensor*, TfLiteIntArray* dims);
  void (*ReportError)(TfLiteContext*, const char* format, ...);
  TfLiteStatus (*AddTensors)(TfLiteContext*, int count, int* first);
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext*, int node, TfLiteNode**,
                                         TfLiteRegistration**);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext*, TfLiteRegistration,
                                                        const TfLiteIntArray* nodes,
                                                        TfLiteDelegate*);
  int recommended_num_threads;
};

// Without this flag the runtime prepares every op before the delegate sees the graph, and fails
// on the first custom op that it does not know.
constexpr std::int64_t kTfLiteDelegateFlagsAllowDynamicTensors = 1;

struct TfLiteDelegate {
  void* data_;
  TfLiteStatus (*Prepare)(TfLiteContext*, TfLiteDelegate*);
  TfLiteStatus (*CopyFromBufferHandle)(TfLiteContext*, TfLiteDelegate*, int, TfLiteTensor*);
  TfLiteStatus (*CopyToBufferHandle)(TfLiteContext*, TfLiteDelegate*, int, TfLiteTensor*);
  void (*FreeBufferHandle)(TfLiteContext*, TfLiteDelegate*, int*);
  std::int64_t flags;
  void* opaque_delegate_builder;
};

}  // extern "C"

static_assert(sizeof(void*) == 8 && sizeof(int) == 4, "written for LP64 targets");
static_assert(sizeof(TfLiteTensor) == 112);  // tensors form an array, so the size matters
static_assert(offsetof(TfLiteTensor, data) == 8);
static_assert(offsetof(TfLiteTensor, params) == 24);
static_assert(offsetof(TfLiteTensor, allocation_type) == 32);
static_assert(offsetof(TfLiteTensor, bytes) == 40);
static_assert(offsetof(TfLiteTensor, name) == 56);
static_assert(offsetof(TfLiteTensor, is_variable) == 77);
static_assert(offsetof(TfLiteTensor, quantization) == 80);
static_assert(offsetof(TfLiteTensor, sparsity) == 96);
static_assert(offsetof(TfLiteNode, custom_initial_data) == 48);
static_assert(offsetof(TfLiteNode, custom_initial_data_size) == 56);
static_assert(sizeof(TfLiteNode) == 80);
static_assert(sizeof(TfLiteDimensionMetadata) == 24);
static_assert(offsetof(TfLiteSparsity, dim_metadata_size) == 24);
static_assert(offsetof(TfLiteRegistration, builtin_code) == 40);
static_assert(offsetof(TfLiteRegistration, custom_name) == 48);
static_assert(offsetof(TfLiteRegistration, version) == 56);
static_assert(sizeof(TfLiteRegistration) == 88);  // passed by value
static_assert(sizeof(TfLiteDelegateParams) == 32);
static_assert(offsetof(TfLiteContext, tensors) == 16);
static_assert(offsetof(TfLiteContext, ResizeTensor) == 32);
static_assert(offsetof(TfLiteContext, ReplaceNodeSubsetsWithDelegateKernels) == 64);
static_assert(offsetof(TfLiteContext, recommended_num_threads) == 72);
static_assert(offsetof(TfLiteDelegate, flags) == 40);
static_assert(sizeof(TfLiteDelegate) == 56);
