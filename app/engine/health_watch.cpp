#include "app/engine/health_watch.h"

#include <algorithm>
#include <chrono>

#include "app/engine/answer_stream.h"
#include "app/engine/chat_request.h"

namespace lava::app {
namespace {

constexpr int process_interval_ms = 150, server_interval_ms = 700;
constexpr int process_call_ms = 5000;
constexpr qsizetype most_bytes = 4 << 20;

}  // namespace

HealthWatch::HealthWatch(const ServerPlace& place, int patience_ms, Told told)
    : place_(place), patience_ms_(patience_ms), told_(std::move(told)), thread_([this] { run(); }) {}

HealthWatch::~HealthWatch() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  call_.cancel();
  thread_.join();
}

bool HealthWatch::pause(int milliseconds) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::milliseconds(milliseconds), [this] { return ending_; });
}

ServerAnswer HealthWatch::get(const char* path) {
  ServerAnswer answer;
  QByteArray body;
  HttpRequest request = engine_call(place_.address, place_.token, path);
  request.post = false;
  request.timeout_ms = patience_ms_ > 0 ? std::min(process_call_ms, patience_ms_) : server_patience_ms;
  answer.outcome = call_.perform(request, [&](long, QByteArrayView bytes) {
    body.append(bytes);
    return body.size() < most_bytes;
  });
  answer.json = lenient_json(body);
  return answer;
}

void HealthWatch::run() {
  while (ask() && pause(patience_ms_ > 0 ? process_interval_ms : server_interval_ms)) {
  }
}

void HealthWatch::progress(double done, const QString& phase) {
  QMetaObject::invokeMethod(&context_, [tell = told_.progress, done, phase] { tell(done, phase); }, Qt::QueuedConnection);
}

void HealthWatch::fail(const ReachTrouble& trouble) {
  QMetaObject::invokeMethod(&context_, [tell = told_.failed, trouble] { tell(trouble); }, Qt::QueuedConnection);
}

// Ours first: what is not ours must offer a list of models.
tl::expected<QJsonObject, ReachTrouble> HealthWatch::describe() {
  const ServerAnswer props = get("/props");
  const long status = props.outcome.status;
  if (status == 0) return tl::unexpected(no_answer(place_, props.outcome));
  if (status == 200 && props.json && is_ours(*props.json)) return *props.json;
  const ServerAnswer models = get("/v1/models");
  if (models.outcome.status == 0) return tl::unexpected(no_answer(place_, models.outcome));
  const QJsonObject told = models.outcome.status == 200 && models.json ? foreign_props(*models.json, props.json.value_or(QJsonObject()), place_.model) : QJsonObject();
  if (told.isEmpty()) return tl::unexpected(other_answer(place_, models));
  return told;
}

bool HealthWatch::silent_for(int milliseconds) {
  silent_ms_ += milliseconds;
  if (silent_ms_ < patience_ms_) return true;
  fail({{Error::Kind::io, "The engine does not answer", "no sign of life for " + std::to_string(patience_ms_ / 1000) + " seconds", "Restart the engine"}});
  return false;
}

bool HealthWatch::ask() {
  const auto before = std::chrono::steady_clock::now();
  const ServerAnswer health = get("/health");
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
  if (health.outcome.status == 0) {
    if (patience_ms_ > 0) return silent_for(process_interval_ms + static_cast<int>(took.count()));
    fail(no_answer(place_, health.outcome));
    return false;
  }
  silent_ms_ = 0;
  const QJsonObject said = health.json.value_or(QJsonObject());
  const QString state = said["status"].toString();
  if (state == "error") {
    fail({error_of_json(said["error"].toObject(), "The model could not be loaded")});
    return false;
  }
  // The second is how llama.cpp says it.
  if (state == "loading" || (health.outcome.status == 503 && said["error"]["message"].toString().startsWith("Loading"))) {
    progress(std::clamp(said["progress"].toDouble(), 0.0, 1.0), said["phase"].toString());
    return true;
  }
  const auto props = describe();
  if (props)
    QMetaObject::invokeMethod(&context_, [tell = told_.ready, told = *props] { tell(told); }, Qt::QueuedConnection);
  else
    fail(props.error());
  return false;
}

}  // namespace lava::app
