#include "kernels/cpu/pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace lava {
namespace {

struct Scratch {
  explicit Scratch(int threads) : data(static_cast<std::byte*>(std::aligned_alloc(64, threads * Lane::scratch_bytes))) {}
  ~Scratch() { std::free(data); }
  std::byte* data;
};

struct Counters {
  std::atomic<int64_t> sum{0};
  int lanes = 0;
  int rounds = 0;
  int64_t shared = 0;  // written by lane 0, read by all after a barrier
  std::atomic<int> wrong{0};
};

void count_lanes(void* context, const Lane& lane) {
  auto& c = *static_cast<Counters*>(context);
  c.sum.fetch_add(lane.index + 1, std::memory_order_relaxed);
  if (lane.count != c.lanes) c.wrong.fetch_add(1);
}

void barriers(void* context, const Lane& lane) {
  auto& c = *static_cast<Counters*>(context);
  for (int i = 0; i < c.rounds; ++i) {
    if (lane.index == i % lane.count) ++c.shared;  // one writer per round; the barrier orders it before everyone's read
    lane.sync();
    if (c.shared != i + 1) c.wrong.fetch_add(1);
    lane.sync();
  }
}

class Pool : public testing::TestWithParam<int> {};

TEST_P(Pool, RunsEveryLaneOfManySmallRegions) {
  const int threads = GetParam();
  Scratch scratch(threads);
  ThreadPool pool(threads, true, scratch.data);
  Counters c;
  c.lanes = threads;
  const int regions = threads > 4 ? 500 : 20000;
  for (int i = 0; i < regions; ++i) pool.run(&count_lanes, &c);
  EXPECT_EQ(c.sum.load(), int64_t{regions} * threads * (threads + 1) / 2);
  EXPECT_EQ(c.wrong.load(), 0);
}

TEST_P(Pool, BarriersOrderMemory) {
  const int threads = GetParam();
  Scratch scratch(threads);
  ThreadPool pool(threads, true, scratch.data);
  Counters c;
  c.rounds = threads > 4 ? 200 : 5000;
  pool.run(&barriers, &c);
  EXPECT_EQ(c.wrong.load(), 0);
  EXPECT_EQ(c.shared, c.rounds);
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, testing::Values(1, 2, 3, 16));  // 16 is more than the cores of a small machine

TEST(Pool, CallersFromSeveralThreadsTakeTurns) {
  Scratch scratch(2);
  ThreadPool pool(2, true, scratch.data);
  Counters c;
  c.lanes = 2;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 200; ++k) pool.run(&count_lanes, &c);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(c.sum.load(), 4 * 200 * 3);
}

TEST(Pool, SleepsAndWakes) {
  Scratch scratch(2);
  ThreadPool pool(2, true, scratch.data);
  Counters c;
  c.lanes = 2;
  for (int i = 0; i < 20; ++i) {
    pool.run(&count_lanes, &c);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // longer than the spin
  }
  EXPECT_EQ(c.sum.load(), 20 * 3);
}

TEST(Pool, ScratchIsEachLanesOwn) {
  Scratch scratch(2);
  ThreadPool pool(2, false, scratch.data);
  std::byte* seen[2] = {};
  pool.run([](void* context, const Lane& lane) { static_cast<std::byte**>(context)[lane.index] = lane.scratch; }, seen);
  EXPECT_EQ(seen[1] - seen[0], static_cast<std::ptrdiff_t>(Lane::scratch_bytes));
}

TEST(PoolDeathTest, ARegionInsideARegionIsAMistake) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Scratch scratch(2);
        ThreadPool pool(2, false, scratch.data);
        pool.run([](void* context, const Lane&) { static_cast<ThreadPool*>(context)->run(&count_lanes, nullptr); }, &pool);
      },
      "internal error");
}

TEST(Lane, SharesCoverEverythingOnce) {
  for (const int64_t total : {0, 1, 5, 64, 1000}) {
    for (const int count : {1, 2, 3, 7}) {
      for (const int64_t grain : {1, 4, 16}) {
        int64_t next = 0;
        for (int i = 0; i < count; ++i) {
          Lane lane;
          lane.index = i, lane.count = count;
          const Span span = lane.share(total, grain);
          EXPECT_EQ(span.begin, next);
          EXPECT_TRUE(span.begin % grain == 0 || span.begin == total);
          next = span.end;
        }
        EXPECT_EQ(next, total);
      }
    }
  }
}

}  // namespace
}  // namespace lava
