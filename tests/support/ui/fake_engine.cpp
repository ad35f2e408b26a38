#include "tests/support/ui/fake_engine.h"

#include <utility>

namespace lava::test {

void FakeAsking::cancel() {
  was_cancelled = true;
  emit cancelled();
}

void FakeAsking::finish(const QString& whole, std::vector<app::GroundedBox> boxes) {
  app::AnswerDone answer;
  answer.text = whole;
  answer.boxes = std::move(boxes);
  answer.timings = {{"tokens_per_s", 38.2}, {"first_token_ms", 1210}, {"decode_tokens", 412}};
  answer.finish_reason = "stop";
  emit done(answer);
}

QJsonObject FakeEngine::props() const {
  if (state_ != State::ready) return {};
  QJsonObject props{{"model", "fake-model"}, {"vision", sees}, {"regions", takes_regions_of_pictures}, {"grounding", "boxes"}, {"device", "Fake Processor"}, {"backend", "cpu"}, {"instruction_set", "avx2"},
                    {"memory", QJsonObject{{"weights", 134000000}, {"kv", 754000000}, {"work", 21000000}, {"kv_format", "F32"}}}};
  for (auto it = more_props.begin(); it != more_props.end(); ++it) props[it.key()] = it.value();
  return props;
}

app::Asking* FakeEngine::ask(const std::vector<app::AskTurn>& turns, const app::AskOptions& options, QObject* parent) {
  auto* asking = new FakeAsking(parent);
  questions.push_back({turns, options, asking});
  return asking;
}

app::Preparing* FakeEngine::prepare(const std::vector<app::AskTurn>& turns, QObject* parent) {
  auto* preparing = new app::Preparing(parent);
  preparations.push_back({turns, preparing});
  return preparing;
}

void FakeEngine::count_tokens(int, int, QObject*, std::function<void(std::optional<int>)> then) {
  then(29);
}

void FakeEngine::restart() {
  ++restarts;
  error_ = {};
  set_state(State::starting);
  set_state(State::ready, 1);
}

void FakeEngine::use_model(const QString& path) {
  model = path;
  restart();
}

void FakeEngine::use_device(const QString& wanted) {
  choice = wanted;
  elsewhere = {};
  error_ = {};
  set_state(State::starting);
  emit devices_changed();
}

void FakeEngine::unload() {
  was_unloaded = true;
  set_state(State::stopped);
}

void FakeEngine::load() {
  if (std::exchange(was_unloaded, false)) set_state(State::starting);
}

void FakeEngine::use_served_model(const QString& wanted) {
  elsewhere.model = wanted;
  more_props["served_model"] = wanted;
  emit changed();
}

void FakeEngine::use_server(const app::ServerPlace& place) {
  elsewhere = known = place;
  error_ = {};
  set_state(State::ready, 1);
  emit devices_changed();
}

void FakeEngine::find(const QByteArray& json) {
  found = app::read_devices(json).value();
  emit devices_changed();
  emit changed();
}

void FakeEngine::set_state(State state, double progress) {
  state_ = state;
  progress_ = progress;
  emit changed();
}

void FakeEngine::die(const Error& error) {
  error_ = error;
  set_state(State::failed);
}

}  // namespace lava::test
