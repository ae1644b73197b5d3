#include "delegate/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace tfkit {
namespace {

// Each unit adds itself to its own counter; not atomic, so that a unit run twice at once is a race.
struct Counts {
  explicit Counts(std::int64_t units) : values(units) {}
  static void Body(void* context, int, std::int64_t begin, std::int64_t end) {
    auto& values = static_cast<Counts*>(context)->values;
    for (std::int64_t unit = begin; unit < end; ++unit) ++values[unit];
  }
  std::vector<int> values;
};

TEST(ThreadPool, RunsEveryUnitOnce) {
  ThreadPool pool;
  for (int threads : {1, 2, 3, 8}) {
    for (std::int64_t units : {0, 1, 2, 3, 7, 100, 1001}) {
      Counts counts(units);
      ThreadPool::Session session(pool, threads);
      for (int repeat = 1; repeat <= 20; ++repeat) {
        session.Run(threads, units, &counts, Counts::Body);
        ASSERT_EQ(counts.values, std::vector<int>(units, repeat)) << threads << " threads";
      }
    }
  }
}

// A stage reads what the one before it wrote, from units that other threads ran.
TEST(ThreadPool, AStageSeesAllOfTheOneBefore) {
  struct Stage {
    const std::vector<int>* from;
    std::vector<int>* to;
    static void Body(void* context, int, std::int64_t begin, std::int64_t end) {
      const Stage& stage = *static_cast<Stage*>(context);
      for (std::int64_t i = begin; i < end; ++i) {
        (*stage.to)[i] = std::accumulate(stage.from->begin(), stage.from->end(), int(i)) % 1000;
      }
    }
  };
  const auto run = [](int threads) {
    ThreadPool pool;
    std::vector<int> a(64, 1), b(64);
    ThreadPool::Session session(pool, threads);
    for (int i = 0; i < 200; ++i) {
      Stage forth = {&a, &b};
      session.Run(threads, 64, &forth, Stage::Body);
      Stage back = {&b, &a};
      session.Run(threads, 64, &back, Stage::Body);
    }
    return a;
  };
  EXPECT_EQ(run(4), run(1));
}

TEST(ThreadPool, ThreadsAtTheSameTimeHaveDifferentNumbers) {
  struct Scratch {
    std::vector<std::int64_t> of_thread = std::vector<std::int64_t>(4);
    std::int64_t total() const {
      return std::accumulate(of_thread.begin(), of_thread.end(), std::int64_t{0});
    }
    static void Body(void* context, int thread, std::int64_t begin, std::int64_t end) {
      static_cast<Scratch*>(context)->of_thread.at(thread) += end - begin;
    }
  } scratch;
  ThreadPool pool;
  // More workers than a later stage may have.
  {
    ThreadPool::Session session(pool, 8);
  }
  ThreadPool::Session session(pool, 4);
  for (int i = 0; i < 500; ++i) session.Run(4, 100, &scratch, Scratch::Body);
  EXPECT_EQ(scratch.total(), 50'000);
}

TEST(ThreadPool, ManyOwnersAtOnce) {
  ThreadPool pool;
  std::vector<std::thread> owners;
  for (int owner = 0; owner < 6; ++owner) {
    owners.emplace_back([&pool] {
      Counts counts(50);
      for (int repeat = 1; repeat <= 200; ++repeat) {
        ThreadPool::Session session(pool, 3);
        session.Run(3, 50, &counts, Counts::Body);
        ASSERT_EQ(counts.values, std::vector<int>(50, repeat));
      }
    });
  }
  for (std::thread& owner : owners) owner.join();
}

// Units that sleep leave time for every worker to come. Each thread has its number to itself, and
// nobody is still at work when Run returns.
TEST(ThreadPool, WorkersTakePartAndAreWaitedFor) {
  struct Work {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    std::atomic<bool> busy[3] = {};
    std::atomic<int> done{0};
    static void Body(void* context, int thread, std::int64_t begin, std::int64_t end) {
      auto& work = *static_cast<Work*>(context);
      EXPECT_FALSE(work.busy[thread].exchange(true));
      {
        const std::lock_guard<std::mutex> lock(work.mutex);
        work.seen.insert(std::this_thread::get_id());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(thread == 0 ? 1 : 3));
      work.done += static_cast<int>(end - begin);
      work.busy[thread] = false;
    }
  } work;
  ThreadPool pool;
  // Would never end if workers stayed away.
  for (int round = 0; round < 10 || work.seen.size() < 3; ++round) {
    ThreadPool::Session session(pool, 3);
    work.done = 0;
    session.Run(3, 12, &work, Work::Body);
    ASSERT_EQ(work.done, 12);
  }
}

#if defined(__x86_64__)  // emulators do not list their guest's threads
// 'S' in /proc for a thread that sleeps; one that spins is 'R', however busy the machine.
TEST(ThreadPool, SleepsBetweenSessions) {
  ThreadPool pool;
  Counts counts(1000);
  for (int i = 0; i < 10; ++i) {
    ThreadPool::Session session(pool, 4);
    session.Run(4, 1000, &counts, Counts::Body);
  }
  const auto awake = [] {
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::ifstream file(task.path() / "stat");
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      count += text.substr(text.rfind(')'), 3) != ") S" ? 1 : 0;
    }
    return count;
  };
  int rounds = 0;
  while (awake() > 1 && ++rounds < 500) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(awake(), 1) << "only the thread that asks should be";
}
#endif

TEST(ThreadPool, StartsNoThreadWithoutNeed) {
  ThreadPool pool;
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id there;
  ThreadPool::Session session(pool, 1);
  session.Run(4, 10, &there, [](void* context, int thread, std::int64_t begin, std::int64_t end) {
    EXPECT_EQ(thread, 0);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 10);
    *static_cast<std::thread::id*>(context) = std::this_thread::get_id();
  });
  EXPECT_EQ(there, here);
}

}  // namespace
}  // namespace tfkit
