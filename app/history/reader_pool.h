// Read-only connections; each serves one caller at a time.
#pragma once
#include <mutex>
#include <optional>
#include <vector>

#include "app/history/database.h"

namespace lava::app {

class ReaderPool {
 public:
  explicit ReaderPool(QString file) : file_(std::move(file)) {}

  // work(Database&) with a connection, or `otherwise` when the file cannot be opened.
  template <class Work, class T>
  T with(Work work, T otherwise) {
    std::optional<Database> reader = take();
    if (!reader) return otherwise;
    T value = work(*reader);
    give(std::move(*reader));
    return value;
  }

 private:
  std::optional<Database> take() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Database reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    auto reader = Database::open(file_, Access::read_only);
    if (!reader) return std::nullopt;
    return std::move(*reader);
  }
  void give(Database reader) {
    std::lock_guard lock(mutex_);
    if (idle_.size() < 4) idle_.push_back(std::move(reader));
  }

  QString file_;
  std::mutex mutex_;
  std::vector<Database> idle_;
};

}  // namespace lava::app
