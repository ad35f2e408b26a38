#include "app/chat/chosen_engine.h"

#include "app/settings/preferences.h"
#include "engine/core/user_folders.h"
#include "engine/devices/verdicts.h"

namespace lava::app {

ServerPlace kept_server() {
  const preferences::Server kept = preferences::server();
  ServerPlace place = server_place(kept.address, kept.token).value_or(ServerPlace());
  place.model = kept.model;
  return place;
}

ChosenEngine::ChosenEngine(const MediaStore& media, QObject* parent) : EngineLink(parent), wire_(media) {
  connect(&process_, &EngineProcess::state_changed, this, &EngineLink::changed);
  connect(&process_, &EngineProcess::progress_changed, this, [this](double, const QString& phase) {
    phase_ = phase;
    emit changed();
  });
  server_.set_occupied([this] { return answering(); });
  connect(&server_, &ServerLink::state_changed, this, &EngineLink::changed);
  connect(&server_, &ServerLink::progress_changed, this, &EngineLink::changed);
  connect(&server_, &ServerLink::props_changed, this, &EngineLink::changed);
  connect(&finder_, &DeviceFinder::changed, this, &EngineLink::devices_changed);
  connect(&finder_, &DeviceFinder::changed, this, &EngineLink::changed);  // the list knows the memory of what computes
}

void ChosenEngine::start(const EngineOptions& options, const ServerPlace& server) {
  options_ = options;
  chosen_server_ = server;
  start_again();
}

bool ChosenEngine::answering() {
  std::erase_if(askings_, [](const QPointer<Asking>& one) { return !one; });
  return !askings_.empty();
}

// An answer under way would end with its engine, as a failure: it is stopped instead, and keeps what was written.
void ChosenEngine::stop_answers() {
  for (const QPointer<Asking>& asking : std::exchange(askings_, {}))
    if (asking) asking->cancel();
}

void ChosenEngine::start_again() {
  stop_answers();
  unloaded_ = false;
  if (remote()) {
    process_.stop();
    server_.open(chosen_server_);
  } else {
    server_.close();
    process_.start(EngineOptions(options_));
  }
}

void ChosenEngine::restart() {
  start_again();
}

void ChosenEngine::unload() {
  if (!can_unload()) return;
  stop_answers();
  unloaded_ = true;
  process_.stop();
}

void ChosenEngine::load() {
  if (unloaded_) start_again();
}

void ChosenEngine::check_devices_again() {
  forget_verdicts(device_verdict_folder());
  find_devices();
  if (!remote() && local_choice() == "auto" && !unloaded_) start_again();
}

void ChosenEngine::use_model(const QString& path) {
  options_.model = path;
  start_again();
}

void ChosenEngine::find_devices() {
  finder_.find(options_.program);
}

void ChosenEngine::use_device(const QString& choice) {
  if (choice == device_choice() && state() != State::failed) return;
  options_.device = choice;
  chosen_server_ = {};
  note_kept(preferences::set_device(choice));
  start_again();
  emit devices_changed();
}

void ChosenEngine::use_server(const ServerPlace& place) {
  chosen_server_ = place;
  keep_server();
  start_again();
  emit devices_changed();
}

void ChosenEngine::use_served_model(const QString& model) {
  if (!remote() || model == chosen_server_.model) return;
  chosen_server_.model = model;
  keep_server();
  server_.use_model(model);
  emit devices_changed();
}

void ChosenEngine::keep_server() {
  note_kept(preferences::set_server({chosen_server_.address.toString(), chosen_server_.token, true, chosen_server_.model}));
}

ServerPlace ChosenEngine::known_server() const { return remote() ? chosen_server_ : kept_server(); }

void ChosenEngine::note_kept(const Result<void>& kept) {
  not_kept_ = kept ? QString() : tr("This holds until the window closes. %1").arg(QString::fromStdString(kept.error().message()));
}

FoundDevices ChosenEngine::found_devices() const {
  FoundDevices found = finder_.found();
  if (!not_kept_.isEmpty()) found.notes.prepend(not_kept_);
  return found;
}

WireEnd ChosenEngine::end() const {
  if (!remote()) return {process_.url(), process_.token(), {}, props()["served_model"].toString()};
  return {chosen_server_.address, chosen_server_.token, chosen_server_.name(), props()["served_model"].toString()};
}

Asking* ChosenEngine::ask(const std::vector<AskTurn>& turns, const AskOptions& options, QObject* parent) {
  Asking* asking = wire_.ask(end(), turns, options, parent);
  answering();
  askings_.push_back(asking);
  const auto over = [this, asking] { std::erase(askings_, asking); };
  connect(asking, &Asking::done, this, over);
  connect(asking, &Asking::failed, this, over);
  connect(asking, &Asking::cancelled, this, over);
  // Heard before anybody is told: what is shown of the failure goes by how the engine is.
  connect(asking, &Asking::failed, this, [this, address = chosen_server_.address](const Error& error) {
    const bool gone = error.kind == Error::Kind::io || error.kind == Error::Kind::device_lost;
    if (gone && address == chosen_server_.address && remote()) server_.reopen();
  });
  return asking;
}

Preparing* ChosenEngine::prepare(const std::vector<AskTurn>& turns, QObject* parent) {
  return wire_.prepare(end(), turns, parent);
}

void ChosenEngine::count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) {
  wire_.count_tokens(end(), width, height, context, std::move(then));
}

}  // namespace lava::app
