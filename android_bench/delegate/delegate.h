// The TfLiteDelegate: claims the nodes it can run, and keeps account of their partitions.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "abi/tflite.h"
#include "delegate/options.h"
#include "delegate/partition.h"

namespace tfkit {

// One may serve several interpreters, and those may run in several threads.
class Delegate {
 public:
  explicit Delegate(Options);
  Delegate(const Delegate&) = delete;
  Delegate& operator=(const Delegate&) = delete;

  TfLiteDelegate* handle() { return &handle_; }
  static Delegate& Of(const TfLiteDelegate* handle) {
    return *static_cast<Delegate*>(handle->data_);
  }

  const Options& options() const { return options_; }
  void Add(const Partition*);
  void Remove(const Partition*);
  std::vector<NodeReport> Report() const;

 private:
  const Options options_;
  TfLiteDelegate handle_{};
  mutable std::mutex mutex_;
  std::list<const Partition*> partitions_;
};

}  // namespace tfkit
