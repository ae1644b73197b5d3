#include "delegate/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <numeric>
#include <set>

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

// With a worker that takes part, not only the owner doing everything.
TEST(ThreadPool, WorkersTakePart) {
  struct Threads {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    static void Body(void* context, int, std::int64_t, std::int64_t) {
      auto& threads = *static_cast<Threads*>(context);
      {
        const std::lock_guard<std::mutex> lock(threads.mutex);
        threads.seen.insert(std::this_thread::get_id());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  } threads;
  ThreadPool pool;
  while (threads.seen.size() < 3) {  // would never end if workers stayed away
    ThreadPool::Session session(pool, 3);
    session.Run(3, 12, &threads, Threads::Body);
  }
}

TEST(ThreadPool, SleepsBetweenSessions) {
  ThreadPool pool;
  Counts counts(1000);
  for (int i = 0; i < 10; ++i) {
    ThreadPool::Session session(pool, 4);
    session.Run(4, 1000, &counts, Counts::Body);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto before = std::clock();  // of the whole process
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double seconds = double(std::clock() - before) / CLOCKS_PER_SEC;
  EXPECT_LT(seconds, 0.1) << "three spinning workers would use up to 0.9";
}

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
