// Connections that hold their threads, and those that wait for one.
#include "engine/server/connection_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace lava::server {
namespace {

TEST(ConnectionPool, TasksThatHoldTheirThreadDoNotHoldUpOthers) {
  ConnectionPool pool(8);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  for (int i = 0; i < 7; ++i) pool.enqueue([released] { released.wait(); });
  std::promise<void> done;
  pool.enqueue([&] { done.set_value(); });
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  release.set_value();
  pool.shutdown();
}

TEST(ConnectionPool, MoreTasksThanThreadsAllRun) {
  std::atomic<int> ran{0};
  {
    ConnectionPool pool(3);
    for (int i = 0; i < 200; ++i) pool.enqueue([&] { ++ran; });
  }
  EXPECT_EQ(ran, 200);
}

}  // namespace
}  // namespace lava::server
