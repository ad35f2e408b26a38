// The engine that the user chose: a child process on a device of this computer, or a server elsewhere. Never both at once.
#pragma once
#include <QPointer>

#include "app/chat/device_finder.h"
#include "app/chat/question_wire.h"
#include "app/engine/server_link.h"

namespace lava::app {

ServerPlace kept_server();  // the one of settings.json, whether it is used or not; without an address: none

class ChosenEngine : public EngineLink {
  Q_OBJECT
 public:
  explicit ChosenEngine(const MediaStore& media, QObject* parent = nullptr);
  // With a server the options wait until a device of this computer is chosen.
  void start(const EngineOptions& options, const ServerPlace& server = {});

  State state() const override { return remote() ? server_.state() : process_.state(); }
  double progress() const override { return remote() ? server_.progress() : process_.progress(); }
  QString phase() const override { return remote() ? server_.phase() : phase_; }
  Error error() const override { return remote() ? server_.error() : process_.error(); }
  QJsonObject props() const override { return remote() ? server_.props() : process_.props(); }
  bool unloaded() const override { return unloaded_; }
  QString log_file() const override { return options_.log_file; }
  Asking* ask(const std::vector<AskTurn>& turns, const AskOptions& options, QObject* parent) override;
  Preparing* prepare(const std::vector<AskTurn>& turns, QObject* parent) override;
  void count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) override;
  void restart() override;
  void unload() override;
  void load() override;
  void check_devices_again() override;
  void use_model(const QString& path) override;
  FoundDevices found_devices() const override;
  QString local_choice() const override { return options_.device.isEmpty() ? "auto" : options_.device; }
  void find_devices() override;
  void use_device(const QString& choice) override;
  ServerPlace server() const override { return chosen_server_; }
  ServerPlace known_server() const override;
  bool lost() const override { return remote() && server_.lost(); }
  void use_server(const ServerPlace& place) override;
  void use_served_model(const QString& model) override;

 private:
  WireEnd end() const;
  bool answering();
  void stop_answers();
  void start_again();
  void keep_server();
  void note_kept(const Result<void>& kept);
  QuestionWire wire_;
  EngineProcess process_;
  ServerLink server_;
  EngineOptions options_;
  ServerPlace chosen_server_;  // without an address: none
  QString phase_;
  bool unloaded_ = false;
  DeviceFinder finder_;
  QString not_kept_;  // why the choice holds for this window only
  std::vector<QPointer<Asking>> askings_;
};

}  // namespace lava::app
