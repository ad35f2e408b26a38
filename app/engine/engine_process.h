// The engine as a child process: start, watch, restart. Lives on the thread that made it.
#pragma once
#include <QJsonObject>
#include <QObject>
#include <QProcess>
#include <QString>
#include <QUrl>
#include <memory>

#include "kernels/result.h"

namespace lava::app {

// Where the engine's program is; empty: beside this program, else in PATH.
Result<QString> find_engine_program(const QString& wanted);

struct EngineOptions {
  QString program;  // empty: lavascope-engine beside this program, else in PATH
  QString model = "default";
  QString mmproj;
  QString device;           // "auto", "cpu", "cuda:0"; empty: the engine decides
  QString gpu_layers;       // a number, or "auto"; empty: the engine decides
  int threads = 0;          // 0: the engine decides
  int patience_ms = 30000;  // without a sign of life while it starts and loads
  QString log_file;         // what it writes is kept there; empty: nowhere
};

// A lost device (engine/server/exit_codes.h) starts it again by itself, twice at most until somebody starts it.
class EngineProcess : public QObject {
  Q_OBJECT
 public:
  enum class State { stopped, starting, loading, ready, failed };
  Q_ENUM(State)

  explicit EngineProcess(QObject* parent = nullptr);
  ~EngineProcess() override;

  void start(const EngineOptions&);  // token and port go through standard input
  void stop();
  void restart();  // with the last options
  State state() const;
  double progress() const;  // 0..1 while loading
  QUrl url() const;         // valid from `loading` on
  QString token() const;
  Error error() const;  // when failed: sentence, cause (last lines of the log), remedy
  qint64 pid() const;
  QJsonObject props() const;  // GET /props once ready

 signals:
  void state_changed(lava::app::EngineProcess::State state);
  void progress_changed(double progress, const QString& phase);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lava::app
