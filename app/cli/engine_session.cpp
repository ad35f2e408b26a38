#include "app/cli/engine_session.h"

#include <QEventLoop>
#include <QTimer>

#include "app/chat/words.h"
#include "app/cli/interrupts.h"
#include "app/cli/terminal.h"
#include "app/engine/health_watch.h"

namespace lava::app {

Error interrupted_error() { return {Error::Kind::cancelled, "Stopped", {}, {}}; }

Result<std::unique_ptr<EngineSession>> EngineSession::open(const EngineChoice& choice) {
  std::unique_ptr<EngineSession> session(new EngineSession);
  const Result<void> done = choice.server.isEmpty() ? session->start(choice.options) : session->reach(choice);
  terminal::progress({});
  if (!done) return tl::unexpected(done.error());
  return session;
}

Result<void> EngineSession::start(const EngineOptions& options) {
  options_ = options;
  process_ = std::make_unique<EngineProcess>();
  QEventLoop loop;
  bool interrupted = false;
  QObject::connect(process_.get(), &EngineProcess::progress_changed, &loop, [](double progress, const QString& phase) {
    if (progress < 1) terminal::progress(loading_line(phase, progress).text);
  });
  auto settled = [this] { return process_->state() == EngineProcess::State::ready || process_->state() == EngineProcess::State::failed; };
  QObject::connect(process_.get(), &EngineProcess::state_changed, &loop, [&] {
    if (settled()) loop.quit();
  });
  QObject::connect(&Interrupts::instance(), &Interrupts::happened, &loop, [&] {
    interrupted = true;
    loop.quit();
  });
  terminal::progress("Starting the engine");
  process_->start(options);
  if (!settled()) loop.exec();
  if (interrupted) return tl::unexpected(interrupted_error());
  if (process_->state() == EngineProcess::State::failed) return tl::unexpected(process_->error());
  url_ = process_->url();
  token_ = process_->token();
  props_ = process_->props();
  return {};
}

Result<void> EngineSession::reach(const EngineChoice& choice) {
  url_ = QUrl(choice.server, QUrl::StrictMode);
  if (!url_.isValid() || (url_.scheme() != "http" && url_.scheme() != "https") || url_.host().isEmpty())
    return fail(Error::Kind::invalid, "This is not the address of a server", choice.server.toStdString(),
                "Give one like http://127.0.0.1:8080");
  token_ = choice.token;
  QEventLoop loop;
  std::optional<Error> error = interrupted_error();
  auto finish = [&](std::optional<Error> end) {
    QMetaObject::invokeMethod(
        &loop,
        [&, end] {
          error = end;
          loop.quit();
        },
        Qt::QueuedConnection);
  };
  QObject::connect(&Interrupts::instance(), &Interrupts::happened, &loop, [&] { loop.quit(); });
  terminal::progress("Looking for the server");
  QString base = choice.server;
  while (base.endsWith('/')) base.chop(1);
  if (base.endsWith("/v1")) base.chop(3);
  HealthWatch watch(base.toUtf8(), token_.toUtf8(), std::min(choice.options.patience_ms, 3000),
                    {[&](double progress, const QString& phase) {
                       QMetaObject::invokeMethod(
                           &loop, [progress, phase] { terminal::progress(loading_line(phase, progress).text); }, Qt::QueuedConnection);
                     },
                     [&](const QJsonObject& props) {
                       QMetaObject::invokeMethod(
                           &loop, [this, props] { props_ = props; }, Qt::QueuedConnection);
                       finish(std::nullopt);
                     },
                     [&](const Error& problem) { finish(problem); }});
  loop.exec();
  if (!error) return {};
  if (error->what == "The engine does not answer")
    return fail(Error::Kind::io, "No engine answers at this address", choice.server.toStdString(),
                "Check the address, and that the server runs");
  return tl::unexpected(*error);
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
