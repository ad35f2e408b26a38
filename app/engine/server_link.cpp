#include "app/engine/server_link.h"

namespace lava::app {

ServerLink::ServerLink(QObject* parent) : QObject(parent) {
  again_.setSingleShot(true);
  connect(&again_, &QTimer::timeout, this, [this] {
    if (occupied_ && occupied_()) return again_.start();
    look();
  });
}

ServerLink::~ServerLink() = default;

void ServerLink::open(const ServerPlace& place) {
  close();
  place_ = place;
  reopen();
}

void ServerLink::close() {
  watch_.reset();
  again_.stop();
  props_ = {};
  was_ready_ = false;
  set_state(State::stopped);
}

void ServerLink::reopen() {
  trouble_ = {};
  look();
  set_state(State::starting);
}

void ServerLink::use_model(const QString& model) {
  place_.model = model;
  props_ = with_model(props_, model);
  if (watch_ && !again_.isActive()) look();  // the one under way would tell of the old one
  emit props_changed();
}

void ServerLink::set_intervals(int well_ms, int lost_ms) {
  well_ms_ = well_ms;
  lost_ms_ = lost_ms;
}

// The state stays as it is until the server has said something else.
void ServerLink::look() {
  again_.stop();
  watch_.reset();
  const auto progress = [this](double done, const QString& phase) {
    progress_ = done;
    phase_ = phase;
    set_state(State::loading);
    emit progress_changed(done, phase);
  };
  watch_ = std::make_unique<HealthWatch>(place_, 0,
                                         HealthWatch::Told{progress, [this](const QJsonObject& props) { on_ready(props); },
                                                           [this](const ReachTrouble& trouble) { on_failed(trouble); }});
}

void ServerLink::on_ready(const QJsonObject& props) {
  const bool other = std::exchange(props_, props) != props;
  was_ready_ = true;
  progress_ = 1;
  again_.start(well_ms_);
  set_state(State::ready);
  if (other) emit props_changed();
}

void ServerLink::on_failed(const ReachTrouble& trouble) {
  trouble_ = trouble;
  if (was_ready_ && trouble.error.kind == Error::Kind::io)
    trouble_.error = {Error::Kind::io, "The connection to " + place_.name().toStdString() + " is lost", trouble.error.what + (trouble.error.cause.empty() ? "" : ": " + trouble.error.cause),
                      trouble.error.remedy};
  props_ = {};
  if (trouble.error.kind == Error::Kind::io) again_.start(lost_ms_);
  if (state_ == State::failed) return emit props_changed();
  set_state(State::failed);
}

void ServerLink::set_state(State state) {
  if (state == state_) return;
  state_ = state;
  emit state_changed(state);
}

}  // namespace lava::app
