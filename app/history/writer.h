// The one thread that changes the history, with the only writing connection. SQLite releases before 3.51.3 can lose
// commits when two connections write and reset the log at once, so there must never be a second one.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "app/history/database.h"

namespace lava::app {

class HistoryWriter {
 public:
  using Job = std::function<void(Database&)>;
  explicit HistoryWriter(Database database);
  ~HistoryWriter();  // after the last queued job
  void enqueue(Job job);

 private:
  void run();
  Database database_;  // used by the thread alone
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace lava::app
