#include "delegate/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace tfkit {
namespace {

constexpr std::uint64_t kOpen = std::uint64_t{1} << 16;
constexpr std::uint64_t kNextJob = kOpen << 1;
constexpr std::uint64_t kWorkers = kOpen - 1;

std::uint64_t JobNumber(std::uint64_t state) { return state / kNextJob; }

// Longer than what lies between two stages of a chain, short beside a futex call and a time slice.
constexpr std::chrono::microseconds kSpin{50};
// A thread takes this fraction of its fair share of what is left: much at first, little at the end,
// where who took the last piece keeps the others waiting.
constexpr std::int64_t kShare = 2;
// The smallest pieces are so many for each thread: finer ones would cost more to hand out than the
// wait for them.
constexpr std::int64_t kPiecesPerThread = 32;

void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

// Whether `ready` came true within kSpin.
template <typename Condition>
bool SpinUntil(Condition ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (ready()) return true;
      Relax();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::~ThreadPool() {
  stop_ = true;
  WakeSleepers();
  for (std::thread& worker : workers_) worker.join();
}

ThreadPool::Session::Session(ThreadPool& pool, int threads) : pool_(pool), threads_(1) {
  if (threads <= 1 || pool_.taken_.exchange(true)) return;
  owns_ = true;
  pool_.Grow(threads - 1);
  threads_ = std::min(threads, static_cast<int>(pool_.workers_.size()) + 1);
  ++pool_.session_;
  pool_.WakeSleepers();
}

ThreadPool::Session::~Session() {
  if (!owns_) return;
  ++pool_.session_;
  pool_.taken_ = false;
}

void ThreadPool::Session::Run(int threads, std::int64_t units, void* context, Body body) {
  threads = static_cast<int>(std::min<std::int64_t>({threads, threads_, units}));
  if (threads <= 1) {
    body(context, 0, 0, units);
    return;
  }
  pool_.job_ = {threads, units, std::max<std::int64_t>(1, units / (threads * kPiecesPerThread)),
                context, body};
  pool_.next_ = 0;
  const std::uint64_t job = (JobNumber(pool_.state_) + 1) * kNextJob;
  pool_.state_ = job | kOpen;
  pool_.WakeSleepers();
  pool_.RunChunks(0);

  pool_.state_ &= ~kOpen;
  const auto all_left = [&] { return (pool_.state_ & kWorkers) == 0; };
  if (SpinUntil(all_left)) return;
  std::unique_lock<std::mutex> lock(pool_.mutex_);
  pool_.owner_sleeps_ = true;
  pool_.done_.wait(lock, all_left);
  pool_.owner_sleeps_ = false;
}

void ThreadPool::Grow(int workers) {
  try {
    while (static_cast<int>(workers_.size()) < workers) {
      const int thread = static_cast<int>(workers_.size()) + 1;
      workers_.emplace_back([this, thread] { Work(thread); });
    }
  } catch (const std::system_error&) {
    // The system grants no more threads; those that there are do the work.
  }
}

// Sleepers announce themselves before they look for a reason to stay awake, and reasons are given
// before this looks for sleepers, both in the one order of sequentially consistent operations: one
// of the two sees the other.
void ThreadPool::WakeSleepers() {
  if (sleepers_ == 0) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
  }
  wake_.notify_all();
}

void ThreadPool::RunChunks(int thread) {
  for (;;) {
    std::int64_t begin = next_;
    std::int64_t count = 0;
    do {
      const std::int64_t left = job_.units - begin;
      if (left <= 0) return;
      count = std::min(left, std::max(job_.smallest, left / (kShare * job_.threads)));
    } while (!next_.compare_exchange_weak(begin, begin + count));
    job_.body(job_.context, thread, begin, begin + count);
  }
}

// The state with an open job that is not `seen_job`; 0 when the pool stops.
std::uint64_t ThreadPool::AwaitJob(std::uint64_t seen_job, std::uint64_t& seen_session) {
  const auto has_job = [&] {
    const std::uint64_t state = state_;
    return (state & kOpen) != 0 && JobNumber(state) != seen_job;
  };
  for (;;) {
    seen_session = session_;
    const auto over = [&] { return has_job() || session_ != seen_session || stop_; };
    if (seen_session % 2 == 0 || !SpinUntil(over)) {
      std::unique_lock<std::mutex> lock(mutex_);
      ++sleepers_;
      wake_.wait(lock, over);
      --sleepers_;
    }
    if (stop_) return 0;
    const std::uint64_t state = state_;
    if ((state & kOpen) != 0 && JobNumber(state) != seen_job) return state;
  }
}

void ThreadPool::Work(int thread) {
  std::uint64_t seen_job = 0;
  std::uint64_t seen_session = 0;
  while (std::uint64_t state = AwaitJob(seen_job, seen_session)) {
    // Fails when the job was closed, or another worker came in between: look again.
    if (!state_.compare_exchange_strong(state, state + 1)) continue;
    seen_job = JobNumber(state);
    if (thread < job_.threads) RunChunks(thread);
    if ((--state_ & (kOpen | kWorkers)) == 0 && owner_sleeps_) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
      }
      done_.notify_one();
    }
  }
}

}  // namespace tfkit
