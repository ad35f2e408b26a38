// Asks an engine what it is and how far, on a thread of its own, until the model is loaded, failed, or something is in the way.
#pragma once
#include <QJsonObject>
#include <QObject>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "app/engine/http_call.h"
#include "app/engine/server_answers.h"

namespace lava::app {

class HealthWatch {
 public:
  struct Told {  // called on the thread that made the watch, and never after its end
    std::function<void(double progress, const QString& phase)> progress;
    std::function<void(const QJsonObject& props)> ready;
    std::function<void(const ReachTrouble& trouble)> failed;
  };
  // Of a process that is starting: without any answer for so long it has failed. 0: a server, which answers at once or not at all.
  HealthWatch(const ServerPlace& place, int patience_ms, Told told);
  ~HealthWatch();  // ends the request under way

 private:
  void run();
  bool ask();                         // false: the matter is settled
  bool silent_for(int milliseconds);  // false: patience is over
  tl::expected<QJsonObject, ReachTrouble> describe();
  ServerAnswer get(const char* path);
  bool pause(int milliseconds);
  void progress(double done, const QString& phase);
  void fail(const ReachTrouble& trouble);

  ServerPlace place_;
  int patience_ms_;
  Told told_;
  HttpCall call_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  int silent_ms_ = 0;
  QObject context_;  // what is told goes with it
  std::thread thread_;
};

}  // namespace lava::app
