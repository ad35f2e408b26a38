// Asks a starting engine how far it is, on a thread of its own, until the model is loaded, failed, or nobody answers.
#pragma once
#include <QJsonObject>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "app/engine/http_call.h"
#include "kernels/result.h"

namespace lava::app {

class HealthWatch {
 public:
  struct Told {  // called on the watch's thread
    std::function<void(double progress, const QString& phase)> progress;
    std::function<void(const QJsonObject& props)> ready;
    std::function<void(const Error& error)> failed;
  };
  HealthWatch(QByteArray url, QByteArray token, int patience_ms, Told told);
  ~HealthWatch();  // ends the request under way

 private:
  void run();
  bool ask();                         // false: the matter is settled
  bool silent_for(int milliseconds);  // false: patience is over
  QJsonObject describe();
  Result<QJsonObject> get(const QByteArray& path, long* status);
  bool pause(int milliseconds);

  QByteArray url_, token_;
  int patience_ms_;  // without any answer
  Told told_;
  HttpCall call_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  int silent_ms_ = 0;
  std::thread thread_;
};

}  // namespace lava::app
