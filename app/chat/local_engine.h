// The engine of this computer: a child process asked over its wire, with pictures from the media store.
#pragma once
#include <QPointer>

#include "app/chat/background.h"
#include "app/chat/device_finder.h"
#include "app/chat/engine_link.h"
#include "app/media/media_store.h"

namespace lava::app {

class LocalEngine : public EngineLink {
  Q_OBJECT
 public:
  explicit LocalEngine(const MediaStore& media, QObject* parent = nullptr);
  void start(const EngineOptions& options);

  State state() const override { return process_.state(); }
  double progress() const override { return process_.progress(); }
  QString phase() const override { return phase_; }
  Error error() const override { return process_.error(); }
  QJsonObject props() const override { return process_.props(); }
  Asking* ask(const std::vector<AskTurn>& turns, const AskOptions& options, QObject* parent) override;
  Preparing* prepare(const std::vector<AskTurn>& turns, QObject* parent) override;
  void count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) override;
  void restart() override;
  void use_model(const QString& path) override;
  FoundDevices found_devices() const override;
  QString device_choice() const override { return options_.device.isEmpty() ? "auto" : options_.device; }
  void find_devices() override;
  void use_device(const QString& choice) override;

 private:
  void start_again();
  const MediaStore& media_;
  EngineProcess process_;
  EngineOptions options_;
  QString phase_;
  DeviceFinder finder_;
  QString not_kept_;  // why the choice of the device holds for this window only
  std::vector<QPointer<Asking>> askings_;
  Background pictures_, views_;  // reading pictures never waits for a preview
};

}  // namespace lava::app
