// One question brought in before its words are known, over the wire (docs/api.md). Signals arrive on the thread that made the object.
#pragma once
#include <QJsonObject>
#include <QObject>
#include <QUrl>
#include <thread>
#include <vector>

#include "app/engine/engine_client.h"
#include "app/engine/http_call.h"

namespace lava::app {

class Preparation : public QObject {
  Q_OBJECT
 public:
  // Starts at once. Deleting it closes the connection, which stops the engine's work.
  Preparation(const QUrl& server, const QString& token, std::vector<TurnContent> turns, QObject* parent = nullptr);
  ~Preparation() override;

 signals:
  void done(const QJsonObject& told);  // pictures and timings
  void failed(const lava::Error& error);

 private:
  void run(HttpRequest request);
  HttpCall call_;
  std::thread thread_;
};

}  // namespace lava::app
