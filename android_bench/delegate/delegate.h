// The TfLiteDelegate: claims the nodes it can run, and keeps account of their partitions.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "abi/tflite.h"
#include "delegate/options.h"
#include "delegate/partition.h"
#include "delegate/report.h"
#include "delegate/thread_pool.h"

namespace tfkit {

// One may serve several interpreters, and those may run in several threads.
//
// It lives until it is released and its last partition is gone: Python's garbage collector may
// destroy delegate and interpreter in either order.
class Delegate : public std::enable_shared_from_this<Delegate> {
 public:
  static Delegate& Create(Options);
  void Release() { self_.reset(); }

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
  DelegateReport Report() const;
  ThreadPool& pool() { return pool_; }
  // The one that all partitions of an interpreter's graph share.
  std::shared_ptr<Arena> ArenaOf(const TfLiteContext*);

 private:
  std::shared_ptr<Delegate> self_;  // the creator's share
  const Options options_;
  TfLiteDelegate handle_{};
  mutable std::mutex mutex_;
  std::list<const Partition*> partitions_;
  std::map<const TfLiteContext*, std::weak_ptr<Arena>> arenas_;
  ThreadPool pool_;
};

}  // namespace tfkit
