// Threads that share out the units of one kernel stage. They sleep between invocations: the
// runtime's own threads (XNNPACK's) want the same cores then.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace tfkit {

class ThreadPool {
 public:
  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // thread in [0, threads) tells the callers apart; no two have the same one at the same time.
  using Body = void (*)(void* context, int thread, std::int64_t begin, std::int64_t end);

  // One invocation's use of the pool. While it lives the workers may wait for the next stage
  // awake, for a bounded time. Another thread that comes meanwhile, with another interpreter, gets
  // a session of its own thread alone instead of a wait.
  class Session {
   public:
    // `threads` counts the calling one; 1 never touches the pool.
    Session(ThreadPool&, int threads);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Calls body(context, ...) so that every unit in [0, units) is run once, and returns when all
    // are. Bodies must not throw.
    void Run(int threads, std::int64_t units, void* context, Body body);

   private:
    ThreadPool& pool_;
    int threads_;
    bool owns_ = false;
  };

 private:
  struct Job {
    int threads = 0;
    std::int64_t units = 0;
    std::int64_t smallest = 1;  // piece
    void* context = nullptr;
    Body body = nullptr;
  };

  void Grow(int workers);
  void Work(int thread);
  std::uint64_t AwaitJob(std::uint64_t seen_job, std::uint64_t& seen_session);
  void RunChunks(int thread);
  void WakeSleepers();

  // Number of the job << 17 | open << 16 | workers in it. Who is late finds the job closed and
  // stays out, so nobody ever waits for a thread to wake up.
  std::atomic<std::uint64_t> state_{0};
  std::atomic<std::int64_t> next_{0};  // unit of the job
  Job job_;                            // written only while no job is open and no worker in one

  std::atomic<bool> taken_{false};         // by a session
  std::atomic<std::uint64_t> session_{0};  // odd while there is one
  std::atomic<int> sleepers_{0};
  std::atomic<bool> owner_sleeps_{false};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::vector<std::thread> workers_;  // of the session's owner
};

}  // namespace tfkit
