// An engine for one command: a child of our own, or a server at an address. Waits in an event loop; Ctrl-C ends each wait.
#pragma once
#include <functional>
#include <memory>

#include "app/engine/engine_client.h"
#include "app/engine/engine_process.h"

namespace lava::app {

struct EngineChoice {
  QString server;  // empty: start one
  QString token;   // for the server
  EngineOptions options;
};

class EngineSession {
 public:
  static Result<std::unique_ptr<EngineSession>> open(const EngineChoice& choice);
  Result<AnswerDone> ask(std::vector<TurnContent> turns, const AskOptions& options,
                         const std::function<void(const QString& delta)>& on_text);
  QString model() const;

 private:
  EngineSession() = default;
  Result<void> start(const EngineOptions& options);
  Result<void> reach(const EngineChoice& choice);
  template <class Engine>
  Result<void> settle(Engine& engine, const std::function<void()>& begin);
  std::unique_ptr<EngineProcess> process_;  // of ours; a question after its end starts it again
  EngineOptions options_;
  QUrl url_;
  QString token_;
  QJsonObject props_;
};

Error interrupted_error();

}  // namespace lava::app
