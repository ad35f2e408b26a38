#include "app/engine/health_watch.h"

#include <QJsonArray>
#include <algorithm>
#include <chrono>

#include "app/engine/answer_stream.h"

namespace lava::app {
namespace {
constexpr int interval_ms = 150;
constexpr qsizetype most_bytes = 1 << 20;
}  // namespace

HealthWatch::HealthWatch(QByteArray url, QByteArray token, int patience_ms, Told told)
    : url_(std::move(url)), token_(std::move(token)), patience_ms_(patience_ms), told_(std::move(told)), thread_([this] { run(); }) {}

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

Result<QJsonObject> HealthWatch::get(const QByteArray& path, long* status) {
  QByteArray body;
  HttpRequest request;
  request.url = url_ + path;
  request.token = token_;
  request.timeout_ms = std::min(5000, patience_ms_);
  const HttpOutcome outcome = call_.perform(request, [&](long, QByteArrayView bytes) {
    body.append(bytes);
    return body.size() < most_bytes;
  });
  *status = outcome.status;
  const auto json = lenient_json(body);
  if (!json) return fail(Error::Kind::io, "The engine does not answer", outcome.cause);
  return *json;
}

void HealthWatch::run() {
  while (ask() && pause(interval_ms)) {
  }
}

// What the engine says of itself; of a server that is not ours, `served_model` is the first model that it offers.
QJsonObject HealthWatch::describe() {
  long status = 0;
  const auto props = get("/props", &status);
  if (props && (*props)["grounding"].isString()) return *props;
  const auto models = get("/v1/models", &status);
  const QString name = models ? (*models)["data"].toArray()[0].toObject()["id"].toString() : QString();
  return name.isEmpty() ? QJsonObject{} : QJsonObject{{"model", name}, {"served_model", name}};
}

bool HealthWatch::silent_for(int milliseconds) {
  silent_ms_ += milliseconds;
  if (silent_ms_ < patience_ms_) return true;
  told_.failed({Error::Kind::io, "The engine does not answer", "no sign of life for " + std::to_string(patience_ms_ / 1000) + " seconds",
                "Restart the engine"});
  return false;
}

bool HealthWatch::ask() {
  const auto before = std::chrono::steady_clock::now();
  long status = 0;
  const auto health = get("/health", &status);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
  // Some servers answer with the status alone.
  const bool bare_ok = status == 200 && (!health || !health->contains("status"));
  if (!health && !bare_ok) return silent_for(interval_ms + static_cast<int>(took.count()));
  silent_ms_ = 0;
  const QString state = health ? (*health)["status"].toString() : QString();
  if (bare_ok || state == "ok") {
    told_.ready(describe());
    return false;
  }
  if (state == "error") {
    told_.failed(error_of_json((*health)["error"].toObject(), "The model could not be loaded"));
    return false;
  }
  told_.progress(std::clamp((*health)["progress"].toDouble(), 0.0, 1.0), (*health)["phase"].toString());
  return true;
}

}  // namespace lava::app
