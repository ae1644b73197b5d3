// One model, compiled and ready to run.
#ifndef TFKIT_RUNNER_SESSION_H_
#define TFKIT_RUNNER_SESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runner/litert.h"
#include "runner/tensor.h"

namespace tfkit::runner {

class Session {
 public:
  // Makes a CPU-only environment and maps `model` (kept alive by the caller, 64-byte aligned).
  Session(const LiteRt& litert, const void* model, std::size_t size);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  LiteRtEnvironment environment() const { return environment_; }

  // Names of the custom ops, node by node, over all subgraphs.
  std::vector<std::string> CustomOps() const;

  // Compiles for `threads` threads, with or without the profiler, and makes the buffers. A free
  // batch axis becomes 1.
  void Compile(int threads, bool profile);

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  void Write(const std::vector<Bytes>& inputs);
  LiteRtStatus Run() {
    return litert_.RunCompiledModel(compiled_, 0, input_buffers_.size(), input_buffers_.data(),
                                    output_buffers_.size(), output_buffers_.data());
  }
  void Read(std::vector<Bytes>& outputs) const;

  // What happens between the two is in the events that the second returns. Their tags live until
  // the next start.
  void StartProfiler();
  std::vector<ProfiledEventData> StopProfiler();

  // Fills the output buffers with a pattern, and tells the outputs that hold nothing else: LiteRT
  // reports success for some failures that leave a buffer untouched.
  void FillOutputs(std::uint8_t pattern);
  std::vector<std::size_t> OutputsHolding(std::uint8_t pattern) const;

 private:
  void AddCpuOptions(int threads, bool profile);
  void AddText(const char* identifier, const std::string& toml);
  void Describe();
  LiteRtTensorBuffer MakeBuffer(const TensorInfo& tensor,
                                LiteRtTensorBufferRequirements requirements);

  const LiteRt& litert_;
  LiteRtEnvironment environment_ = nullptr;
  LiteRtModel model_ = nullptr;
  LiteRtOptions options_ = nullptr;
  LiteRtCompiledModel compiled_ = nullptr;
  LiteRtProfiler profiler_ = nullptr;  // the compiled model's
  std::vector<TensorInfo> inputs_, outputs_;
  std::vector<LiteRtTensorBuffer> input_buffers_, output_buffers_;
};

}  // namespace tfkit::runner

#endif  // TFKIT_RUNNER_SESSION_H_
