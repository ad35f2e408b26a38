// An engine that says what the test tells it to, when the test tells it to.
#pragma once
#include <QPointer>

#include "app/chat/engine_link.h"

namespace lava::test {

class FakeAsking : public app::Asking {
  Q_OBJECT
 public:
  using app::Asking::Asking;
  void cancel() override;
  void say(const QString& delta) { emit text(delta); }
  void reading(const QString& phase, int done, int total) { emit progress(phase, done, total); }
  void finish(const QString& whole, std::vector<app::GroundedBox> boxes = {});
  void break_off(const Error& error) { emit failed(error); }
  bool was_cancelled = false;
};

class FakeEngine : public app::EngineLink {
  Q_OBJECT
 public:
  struct Question {
    std::vector<app::AskTurn> turns;
    app::AskOptions options;
    QPointer<FakeAsking> asking;
  };

  struct Ahead {
    std::vector<app::AskTurn> turns;
    QPointer<app::Preparing> preparing;  // gone: stopped, or over
  };

  using app::EngineLink::EngineLink;
  State state() const override { return state_; }
  double progress() const override { return progress_; }
  QString phase() const override { return "Loading model"; }
  Error error() const override { return error_; }
  QJsonObject props() const override;
  app::Asking* ask(const std::vector<app::AskTurn>& turns, const app::AskOptions& options, QObject* parent) override;
  app::Preparing* prepare(const std::vector<app::AskTurn>& turns, QObject* parent) override;
  void count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) override;
  void restart() override;
  void use_model(const QString& path) override;
  app::FoundDevices found_devices() const override { return found; }
  QString local_choice() const override { return choice; }
  app::ServerPlace server() const override { return elsewhere; }
  app::ServerPlace known_server() const override { return known; }
  bool lost() const override { return was_lost; }
  void use_server(const app::ServerPlace& place) override;
  void find_devices() override { ++searches; }
  void use_device(const QString& wanted) override;
  void unload() override;
  void load() override;
  bool unloaded() const override { return was_unloaded; }
  QString log_file() const override { return log; }
  void check_devices_again() override { ++checks; }
  void use_served_model(const QString& wanted) override;
  void find(const QByteArray& json);  // as the engine's program lists them

  void set_state(State state, double progress = 0);
  void die(const Error& error);
  FakeAsking* last() const { return questions.empty() ? nullptr : questions.back().asking.data(); }

  std::vector<Question> questions;
  std::vector<Ahead> preparations;
  int restarts = 0, searches = 0;
  app::FoundDevices found;
  QString choice = "cpu";
  app::ServerPlace elsewhere, known;
  bool was_lost = false, was_unloaded = false;
  int checks = 0;
  QString log;
  QJsonObject more_props;  // over those that it has
  bool takes_regions_of_pictures = true, sees = true;
  QString model;

 private:
  State state_ = State::ready;
  double progress_ = 1;
  Error error_;
};

}  // namespace lava::test
