#include "runner/session.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "runner/accelerator.h"
#include "runner/failure.h"

namespace tfkit::runner {
namespace {

// A buffer's host memory, locked for as long as this lives.
class Locked {
 public:
  Locked(const LiteRt& litert, LiteRtTensorBuffer buffer, int mode)
      : litert_(litert), buffer_(buffer) {
    void* data = nullptr;
    Check(litert.LockTensorBuffer(buffer, &data, mode), "locking a tensor buffer");
    data_ = static_cast<std::uint8_t*>(data);
  }
  ~Locked() { litert_.UnlockTensorBuffer(buffer_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  std::uint8_t* data() const { return data_; }

 private:
  const LiteRt& litert_;
  LiteRtTensorBuffer buffer_;
  std::uint8_t* data_ = nullptr;
};

LiteRtEnvOption IntegerOption(std::int32_t tag, std::int64_t value) {
  LiteRtEnvOption option{};
  option.tag = tag;
  option.value.type = kLiteRtAnyTypeInt;
  option.value.int_value = value;
  return option;
}

}  // namespace

Session::Session(const LiteRt& litert, const void* model, std::size_t size) : litert_(litert) {
  // CPU at most: otherwise LiteRT opens the GPU accelerators that lie beside its library.
  const LiteRtEnvOption options[] = {
      IntegerOption(kLiteRtEnvOptionTagAutoRegisterAccelerators, AutomaticAccelerators(litert_)),
      IntegerOption(kLiteRtEnvOptionTagMinLoggerSeverity, kLiteRtLogSeverityError),
  };
  Check(litert_.CreateEnvironment(2, options, &environment_), "creating the environment");
  Check(litert_.CreateModelFromBuffer(environment_, model, size, &model_), "reading the model");
}

Session::~Session() {
  // Options outlive the compiled model: it keeps pointers into them.
  if (compiled_ != nullptr) litert_.DestroyCompiledModel(compiled_);
  if (options_ != nullptr) litert_.DestroyOptions(options_);
  for (const auto buffer : input_buffers_) litert_.DestroyTensorBuffer(buffer);
  for (const auto buffer : output_buffers_) litert_.DestroyTensorBuffer(buffer);
  if (model_ != nullptr) litert_.DestroyModel(model_);
  if (environment_ != nullptr) litert_.DestroyEnvironment(environment_);
}

std::vector<std::string> Session::CustomOps() const {
  std::vector<std::string> names;
  LiteRtParamIndex subgraphs = 0;
  Check(litert_.GetNumModelSubgraphs(model_, &subgraphs), "counting subgraphs");
  for (LiteRtParamIndex s = 0; s < subgraphs; ++s) {
    LiteRtSubgraph subgraph = nullptr;
    LiteRtParamIndex ops = 0;
    Check(litert_.GetModelSubgraph(model_, s, &subgraph), "reading a subgraph");
    Check(litert_.GetNumSubgraphOps(subgraph, &ops), "counting ops");
    for (LiteRtParamIndex i = 0; i < ops; ++i) {
      LiteRtOp op = nullptr;
      int code = 0;
      const char* name = nullptr;
      Check(litert_.GetSubgraphOp(subgraph, i, &op), "reading an op");
      Check(litert_.GetOpCode(op, &code), "reading an op's code");
      if (code != kLiteRtOpCodeCustom) continue;
      Check(litert_.GetCustomCode(op, &name), "reading a custom op's name");
      names.emplace_back(name == nullptr ? "" : name);
    }
  }
  return names;
}

void Session::AddText(const char* identifier, const std::string& toml) {
  char* payload = strdup(toml.c_str());
  LiteRtOpaqueOptions opaque = nullptr;
  Check(litert_.CreateOpaqueOptions(identifier, payload, std::free, &opaque), "creating options");
  Check(litert_.AddOpaqueOptions(options_, opaque), "adding options");
}

void Session::AddCpuOptions(int threads, bool profile) {
  Check(litert_.CreateOptions(&options_), "creating options");
  Check(litert_.SetOptionsHardwareAccelerators(options_, kLiteRtHwAcceleratorCpu),
        "choosing the CPU");
  // LiteRT 2.2 and 2.3 read the same text under two names: XNNPACK under one, the interpreter under
  // the other.
  const std::string toml = "num_threads = " + std::to_string(threads) + "\n";
  AddText("xnnpack", toml);
  AddText("cpu_delegate", toml);
  // 1: what goes wrong in a kernel or while loading is said on standard error.
  AddText("runtime_options_string",
          std::string("error_reporter_mode = 1\n") + (profile ? "enable_profiling = true\n" : ""));
}

void Session::Compile(int threads, bool profile) {
  AddCpuOptions(threads, profile);
  Check(litert_.CreateCompiledModel(environment_, model_, options_, &compiled_),
        "compiling the model");
  if (profile) {
    Check(litert_.CompiledModelGetProfiler(compiled_, &profiler_), "asking for the profiler");
  }
  Describe();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    LiteRtTensorBufferRequirements requirements = nullptr;
    Check(litert_.GetCompiledModelInputBufferRequirements(compiled_, 0, i, &requirements),
          "sizing an input");
    input_buffers_.push_back(MakeBuffer(inputs_[i], requirements));
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    LiteRtTensorBufferRequirements requirements = nullptr;
    Check(litert_.GetCompiledModelOutputBufferRequirements(compiled_, 0, i, &requirements),
          "sizing an output");
    output_buffers_.push_back(MakeBuffer(outputs_[i], requirements));
  }
}

void Session::Describe() {
  LiteRtSignature signature = nullptr;
  Check(litert_.GetModelSignature(model_, 0, &signature), "reading the signature");
  LiteRtParamIndex count = 0;
  Check(litert_.GetNumSignatureInputs(signature, &count), "counting inputs");
  for (LiteRtParamIndex i = 0; i < count; ++i) {
    TensorInfo& info = inputs_.emplace_back();
    const char* name = nullptr;
    LiteRtTensor tensor = nullptr;
    Check(litert_.GetSignatureInputName(signature, i, &name), "reading an input's name");
    Check(litert_.GetSignatureInputTensorByIndex(signature, i, &tensor), "reading an input");
    Check(litert_.GetRankedTensorType(tensor, &info.type), "reading an input's type");
    info.name = name == nullptr ? "" : name;
    auto& layout = info.type.layout;
    if (layout.rank > 0 && layout.rank <= kLiteRtTensorMaxRank && layout.dimensions[0] < 0) {
      layout.dimensions[0] = 1;
      Check(litert_.CompiledModelResizeInputTensor(compiled_, 0, i, layout.dimensions, layout.rank),
            "setting the batch of input '" + info.name + "' to 1");
    }
    CheckTensor(info);
  }
  Check(litert_.GetNumSignatureOutputs(signature, &count), "counting outputs");
  std::vector<LiteRtLayout> layouts(count);
  Check(litert_.GetCompiledModelOutputTensorLayouts(compiled_, 0, count, layouts.data(),
                                                    /*update_allocation=*/true),
        "inferring the outputs' shapes");
  for (LiteRtParamIndex i = 0; i < count; ++i) {
    TensorInfo& info = outputs_.emplace_back();
    const char* name = nullptr;
    LiteRtTensor tensor = nullptr;
    Check(litert_.GetSignatureOutputName(signature, i, &name), "reading an output's name");
    Check(litert_.GetSignatureOutputTensorByIndex(signature, i, &tensor), "reading an output");
    Check(litert_.GetRankedTensorType(tensor, &info.type), "reading an output's type");
    info.name = name == nullptr ? "" : name;
    info.type.layout = layouts[i];
    CheckTensor(info);
  }
}

LiteRtTensorBuffer Session::MakeBuffer(const TensorInfo& tensor,
                                       LiteRtTensorBufferRequirements requirements) {
  std::size_t required = 0;
  Check(litert_.GetTensorBufferRequirementsBufferSize(requirements, &required), "sizing a buffer");
  // The requirement can be larger, for what vector loads read past the end; it can be too small for
  // free shapes.
  const std::size_t size = std::max(required, tensor.ByteCount());
  LiteRtTensorBuffer buffer = nullptr;
  Check(litert_.CreateManagedTensorBuffer(environment_, kLiteRtTensorBufferTypeHostMemory,
                                          &tensor.type, size, &buffer),
        "allocating the buffer of '" + tensor.name + "'");
  return buffer;
}

void Session::Write(const std::vector<Bytes>& inputs) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Locked locked(litert_, input_buffers_[i], kLiteRtTensorBufferLockModeWrite);
    std::memcpy(locked.data(), inputs[i].data(), inputs_[i].ByteCount());
  }
}

void Session::Read(std::vector<Bytes>& outputs) const {
  outputs.resize(outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Locked locked(litert_, output_buffers_[i], kLiteRtTensorBufferLockModeRead);
    outputs[i].resize(outputs_[i].ByteCount());
    std::memcpy(outputs[i].data(), locked.data(), outputs[i].size());
  }
}

void Session::StartProfiler() {
  Check(litert_.ResetProfiler(profiler_), "resetting the profiler");
  Check(litert_.StartProfiler(profiler_), "starting the profiler");
}

std::vector<ProfiledEventData> Session::StopProfiler() {
  Check(litert_.StopProfiler(profiler_), "stopping the profiler");
  int count = 0;
  Check(litert_.GetNumProfilerEvents(profiler_, &count), "counting the profiler's events");
  if (count <= 0) throw Failure("the profiler saw nothing");
  std::vector<ProfiledEventData> events(static_cast<std::size_t>(count));
  // A LiteRT whose events are smaller leaves the end as it is.
  constexpr std::int32_t kUntouched = -1;
  events.back().event_source = kUntouched;
  Check(litert_.GetProfilerEvents(profiler_, count, events.data()), "reading the profiler");
  if (events.back().event_source == kUntouched) {
    throw Failure("this LiteRT's profiler has events of another layout than those of 2.1 to 2.3");
  }
  return events;
}

void Session::FillOutputs(std::uint8_t pattern) {
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Locked locked(litert_, output_buffers_[i], kLiteRtTensorBufferLockModeWrite);
    std::memset(locked.data(), pattern, outputs_[i].ByteCount());
  }
}

std::vector<std::size_t> Session::OutputsHolding(std::uint8_t pattern) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const Locked locked(litert_, output_buffers_[i], kLiteRtTensorBufferLockModeRead);
    if (std::all_of(locked.data(), locked.data() + outputs_[i].ByteCount(),
                    [=](auto byte) { return byte == pattern; })) {
      found.push_back(i);
    }
  }
  return found;
}

}  // namespace tfkit::runner
