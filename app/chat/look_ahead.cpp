#include "app/chat/look_ahead.h"

#include <QLoggingCategory>
#include <algorithm>

namespace lava::app {
namespace {

Q_LOGGING_CATEGORY(log_ahead, "lavascope.ahead", QtInfoMsg)

constexpr int settle_ms = 120;  // pictures that are dropped together arrive one by one

bool same_turn(const AskTurn& a, const AskTurn& b) {
  const auto same_picture = [](const Attachment& x, const Attachment& y) { return x.sha256 == y.sha256; };
  return a.role == b.role && a.text == b.text && a.regions == b.regions &&
         std::equal(a.pictures.begin(), a.pictures.end(), b.pictures.begin(), b.pictures.end(), same_picture);
}

}  // namespace

LookAhead::LookAhead(EngineLink& engine, Turns turns) : engine_(engine), turns_(std::move(turns)) {
  settle_.setSingleShot(true);
  settle_.setInterval(settle_ms);
  connect(&settle_, &QTimer::timeout, this, &LookAhead::look);
  connect(&engine_, &EngineLink::changed, this, [this] {
    if (engine_.state() == EngineLink::State::ready) return update();
    drop();  // another engine, or another model, has seen nothing
  });
}

void LookAhead::update() {
  if (!settle_.isActive()) settle_.start();
}

void LookAhead::let_go() {
  settle_.stop();
  looked_at_.clear();
  if (!preparing_) return;
  preparing_->disconnect(this);
  connect(preparing_, &Preparing::done, preparing_, &QObject::deleteLater);
  connect(preparing_, &Preparing::failed, preparing_, &QObject::deleteLater);
  preparing_.clear();
}

void LookAhead::drop() {
  delete preparing_;
  looked_at_.clear();
}

void LookAhead::look() {
  if (engine_.state() != EngineLink::State::ready || !engine_.vision() || !engine_.ours()) return drop();
  std::vector<AskTurn> turns = turns_();
  if (std::equal(turns.begin(), turns.end(), looked_at_.begin(), looked_at_.end(), same_turn)) return;
  drop();
  if (turns.empty()) return;
  preparing_ = engine_.prepare(turns, this);
  looked_at_ = std::move(turns);
  connect(preparing_, &Preparing::done, this, [this](const QJsonObject& timings) {
    qCDebug(log_ahead) << "looked ahead:" << timings;
    preparing_->deleteLater();
  });
  connect(preparing_, &Preparing::failed, this, [this](const Error& error) {
    qCDebug(log_ahead) << "did not look ahead:" << QString::fromStdString(error.message());
    preparing_->deleteLater();
  });
}

}  // namespace lava::app
