#include "app/cli/engine_session.h"

#include <QEventLoop>
#include <QTimer>

#include "app/chat/words.h"
#include "app/cli/interrupts.h"
#include "app/cli/terminal.h"
#include "app/engine/server_link.h"

namespace lava::app {

Error interrupted_error() { return {Error::Kind::cancelled, "Stopped", {}, {}}; }

Result<std::unique_ptr<EngineSession>> EngineSession::open(const EngineChoice& choice) {
  std::unique_ptr<EngineSession> session(new EngineSession);
  const Result<void> done = choice.server.isEmpty() ? session->start(choice.options) : session->reach(choice);
  terminal::progress({});
  if (!done) return tl::unexpected(done.error());
  return session;
}

// Begins it and waits until it is ready or has failed.
template <class Engine>
Result<void> EngineSession::settle(Engine& engine, const std::function<void()>& begin) {
  using State = EngineProcess::State;
  QEventLoop loop;
  bool interrupted = false;
  QObject::connect(&engine, &Engine::progress_changed, &loop, [](double progress, const QString& phase) {
    if (progress < 1) terminal::progress(loading_line(phase, progress).text);
  });
  const auto settled = [&] { return engine.state() == State::ready || engine.state() == State::failed; };
  QObject::connect(&engine, &Engine::state_changed, &loop, [&] {
    if (settled()) loop.quit();
  });
  QObject::connect(&Interrupts::instance(), &Interrupts::happened, &loop, [&] {
    interrupted = true;
    loop.quit();
  });
  begin();
  if (!settled()) loop.exec();
  if (interrupted) return tl::unexpected(interrupted_error());
  if (engine.state() == State::failed) return tl::unexpected(engine.error());
  props_ = engine.props();
  return {};
}

Result<void> EngineSession::start(const EngineOptions& options) {
  options_ = options;
  process_ = std::make_unique<EngineProcess>();
  terminal::progress("Starting the engine");
  LAVA_CHECK_OK(settle(*process_, [&] { process_->start(options); }));
  url_ = process_->url();
  token_ = process_->token();
  return {};
}

Result<void> EngineSession::reach(const EngineChoice& choice) {
  LAVA_TRY(const ServerPlace place, server_place(choice.server, choice.token));
  url_ = place.address;
  token_ = place.token;
  terminal::progress("Looking for the server");
  ServerLink link;
  return settle(link, [&] { link.open(place); });
}

QString EngineSession::model() const {
  const QString name = props_["model"].isObject() ? props_["model"].toObject()["name"].toString() : props_["model"].toString();
  return name.isEmpty() ? QString("default") : name;
}

Result<AnswerDone> EngineSession::ask(std::vector<TurnContent> turns, const AskOptions& options,
                                      const std::function<void(const QString&)>& on_text) {
  if (process_ && process_->state() == EngineProcess::State::failed) LAVA_CHECK_OK(start(EngineOptions(options_)));
  QEventLoop loop;
  AskOptions sent = options;
  sent.model = props_["served_model"].toString();
  Question question(url_, token_, std::move(turns), sent);
  Result<AnswerDone> result = tl::unexpected(interrupted_error());
  QObject::connect(&question, &Question::progress, &loop, [](const QString& phase, int done, int total) {
    if (phase != "answer") terminal::progress(asking_line(phase, done, total).text);
  });
  QObject::connect(&question, &Question::text, &loop, [&](const QString& delta) { on_text(delta); });
  QObject::connect(&question, &Question::done, &loop, [&](const AnswerDone& answer) {
    result = answer;
    loop.quit();
  });
  QObject::connect(&question, &Question::failed, &loop, [&](const Error& error) {
    result = tl::unexpected(error);
    loop.quit();
  });
  QObject::connect(&question, &Question::cancelled, &loop, [&] { loop.quit(); });
  QObject::connect(&Interrupts::instance(), &Interrupts::happened, &question, [&] { question.cancel(); });
  terminal::progress("Asking");
  loop.exec();
  terminal::progress({});
  // A child that died tells more than the connection that broke.
  if (!result && process_ && result.error().kind == Error::Kind::io) {
    QEventLoop moment;
    QTimer::singleShot(300, &moment, &QEventLoop::quit);
    moment.exec();
    if (process_->state() == EngineProcess::State::failed) return tl::unexpected(process_->error());
  }
  return result;
}

}  // namespace lava::app
