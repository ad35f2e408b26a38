#include "app/engine/engine_process.h"

#include <unistd.h>

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPointer>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTimer>
#include <array>

#include "app/engine/engine_log.h"
#include "app/engine/health_watch.h"
#include "engine/server/exit_codes.h"

namespace lava::app {
namespace {

constexpr int kill_after_ms = 1500;
constexpr qsizetype most_line = 64 << 10;
constexpr int most_losses = 2;
constexpr int kept_lines = 60, told_lines = 3;

QString new_token() {
  std::array<quint32, 8> words;
  QRandomGenerator::system()->fillRange(words.data(), words.size());
  return QString::fromLatin1(QByteArray(reinterpret_cast<const char*>(words.data()), sizeof words).toHex());
}

Result<void> check_file(const QString& path, const char* what) {
  if (QFileInfo::exists(path)) return {};
  return fail(Error::Kind::not_found, std::string("The ") + what + " does not exist", QDir::toNativeSeparators(path).toStdString(),
              "Check the name, or choose another file");
}

QStringList arguments_of(const EngineOptions& options) {
  QStringList arguments{"serve", "--model", options.model, "--control", "stdin"};
  if (!options.mmproj.isEmpty()) arguments << "--mmproj" << options.mmproj;
  if (!options.device.isEmpty()) arguments << "--device" << options.device;
  if (!options.gpu_layers.isEmpty()) arguments << "--gpu-layers" << options.gpu_layers;
  if (options.threads > 0) arguments << "--threads" << QString::number(options.threads);
  return arguments;
}

// What the engine wrote, line by line; a line without end is cut.
class LineReader {
 public:
  template <class OnLine>
  void feed(const QByteArray& bytes, OnLine on_line) {
    for (const char c : bytes) {
      if (c != '\n') {
        if (line_.size() < most_line) line_.append(c);
        continue;
      }
      on_line(QString::fromUtf8(std::exchange(line_, {})).trimmed());
    }
  }
  QString rest() const { return QString::fromUtf8(line_).trimmed(); }

 private:
  QByteArray line_;
};

}  // namespace

Result<QString> find_engine_program(const QString& wanted) {
  const QString name = "lavascope-engine";
  QString found = wanted;
  if (found.isEmpty()) {
    found = QDir(QCoreApplication::applicationDirPath()).filePath(name);
    if (!QFileInfo(found).isExecutable()) found = QStandardPaths::findExecutable(name);
  } else if (!found.contains('/')) {
    found = QStandardPaths::findExecutable(found);
  }
  if (!found.isEmpty() && QFileInfo(found).isFile() && QFileInfo(found).isExecutable()) return found;
  return fail(Error::Kind::not_found, "The engine program is missing", (wanted.isEmpty() ? name : wanted).toStdString() + " was not found",
              "Install Lavascope again");
}

class EngineProcess::Impl {
 public:
  explicit Impl(EngineProcess* owner) : owner_(owner) {}

  EngineProcess* owner_;
  EngineOptions options_;
  State state_ = State::stopped;
  double progress_ = 0;
  QUrl url_;
  QString token_;
  Error error_;
  QJsonObject props_;
  QProcess* process_ = nullptr;
  QPointer<QProcess> leaving_;  // still holds its device and memory
  int starts_ = 0;
  QTimer* patience_ = nullptr;
  std::unique_ptr<HealthWatch> watch_;
  LineReader out_, log_;
  QStringList log_lines_;
  EngineLog log_file_;
  int losses_ = 0;  // of the device, since somebody started the engine

  void start(const EngineOptions& options);
  void launch_when_free(const QString& program);
  void launch(const QString& program);
  void release();
  void read_output();
  void read_log();
  void listening(const QString& line);
  void watch();
  void ended(int code, QProcess::ExitStatus status);
  void fail_with(Error error);
  void set_state(State state);
  std::string last_words() const;
};

void EngineProcess::Impl::set_state(State state) {
  if (state_ == state) return;
  state_ = state;
  emit owner_->state_changed(state);
}

void EngineProcess::Impl::fail_with(Error error) {
  error_ = std::move(error);
  log_file_.line(QString::fromStdString(error_.message()));
  release();
  set_state(State::failed);
}

std::string EngineProcess::Impl::last_words() const {
  QStringList lines = log_lines_;
  if (!log_.rest().isEmpty()) lines << log_.rest();
  return lines.mid(std::max<qsizetype>(0, lines.size() - told_lines)).join(" | ").left(600).toStdString();
}

void EngineProcess::Impl::start(const EngineOptions& options) {
  release();
  options_ = options;
  error_ = {};
  props_ = {};
  url_.clear();
  progress_ = 0;
  out_ = {};
  log_ = {};
  log_lines_.clear();
  set_state(State::starting);
  const auto program = find_engine_program(options.program);
  if (!program) return fail_with(program.error());
  Result<void> files;
  if (options.model != "default") files = check_file(options.model, "model");
  if (files && !options.mmproj.isEmpty()) files = check_file(options.mmproj, "projector of the model");
  if (!files) return fail_with(files.error());
  launch_when_free(*program);
}

// Two engines at once would share the memory of a device, and the new one would find it full.
void EngineProcess::Impl::launch_when_free(const QString& program) {
  if (!leaving_) return launch(program);
  QObject::connect(leaving_.data(), &QProcess::finished, owner_, [this, program, start = starts_] {
    if (start == starts_) launch(program);
  });
}

void EngineProcess::Impl::launch(const QString& program) {
  token_ = new_token();
  log_file_.begin(options_.log_file, (QStringList{program} + arguments_of(options_)).join(' '));
  process_ = new QProcess(owner_);
  QObject::connect(process_, &QProcess::readyReadStandardOutput, owner_, [this] { read_output(); });
  QObject::connect(process_, &QProcess::readyReadStandardError, owner_, [this] { read_log(); });
  QObject::connect(process_, &QProcess::finished, owner_, [this](int code, QProcess::ExitStatus status) { ended(code, status); });
  QObject::connect(process_, &QProcess::errorOccurred, owner_, [this, program](QProcess::ProcessError problem) {
    if (problem != QProcess::FailedToStart) return;  // the others end in finished()
    fail_with({Error::Kind::io, "The engine cannot be started", program.toStdString() + ": " + process_->errorString().toStdString(),
               "Install Lavascope again"});
  });
  patience_ = new QTimer(process_);
  patience_->setSingleShot(true);
  QObject::connect(patience_, &QTimer::timeout, owner_, [this] {
    fail_with({Error::Kind::io, "The engine does not start",
               last_words().empty() ? "it said nothing for " + std::to_string(options_.patience_ms / 1000) + " seconds" : last_words(),
               "Try again"});
  });
  patience_->start(options_.patience_ms);
  // A group of its own: Ctrl-C in a terminal is for us alone, and stops an answer, not the engine.
  process_->setChildProcessModifier([] { ::setpgid(0, 0); });
  process_->start(program, arguments_of(options_));
  if (!process_) return;  // start() may fail at once
  process_->write(QJsonDocument(QJsonObject{{"token", token_}, {"port", 0}}).toJson(QJsonDocument::Compact) + "\n");
}

// Lets go of the process: the closed pipe and the signal ask it to end, and it is killed when it does not.
void EngineProcess::Impl::release() {
  ++starts_;  // one that waits for its turn waits no more
  watch_.reset();
  if (!process_) return;
  QProcess* process = std::exchange(process_, nullptr);
  delete std::exchange(patience_, nullptr);
  process->disconnect(owner_);
  if (process->state() == QProcess::NotRunning) {
    process->deleteLater();
    return;
  }
  log_file_.line("The window ends it");
  leaving_ = process;
  QObject::connect(process, &QProcess::finished, owner_, [this, process] {
    process->deleteLater();
    leaving_.clear();
  });
  QTimer::singleShot(kill_after_ms, process, [process] { process->kill(); });
  process->closeWriteChannel();
  process->terminate();
}

void EngineProcess::Impl::read_output() {
  if (!process_) return;
  out_.feed(process_->readAllStandardOutput(), [this](const QString& line) {
    if (state_ == State::starting && process_) listening(line);
  });
}

void EngineProcess::Impl::read_log() {
  if (!process_) return;
  log_.feed(process_->readAllStandardError(), [this](const QString& line) {
    if (line.isEmpty()) return;
    log_lines_ << line;
    log_file_.line(line);
    if (log_lines_.size() > kept_lines) log_lines_.removeFirst();
  });
}

void EngineProcess::Impl::listening(const QString& line) {
  const QJsonObject object = QJsonDocument::fromJson(line.toUtf8()).object();
  const QUrl url(object["listening"].toString(), QUrl::StrictMode);
  if (url.scheme() != "http" || url.host().isEmpty() || url.port() <= 0) return;  // some other output
  patience_->stop();
  url_ = url;
  set_state(State::loading);
  if (state_ == State::loading && process_) watch();
}

void EngineProcess::Impl::watch() {
  const auto progress = [this](double done, const QString& phase) {
    progress_ = done;
    emit owner_->progress_changed(done, phase);
  };
  const auto ready = [this](const QJsonObject& props) {
    props_ = props;
    progress_ = 1;
    log_file_.line("The model is loaded; what computes: " + props["device"].toString("?"));
    emit owner_->progress_changed(1, "Ready");
    set_state(State::ready);
  };
  watch_ = std::make_unique<HealthWatch>(ServerPlace{url_, token_}, options_.patience_ms,
                                         HealthWatch::Told{progress, ready, [this](const ReachTrouble& trouble) { fail_with(trouble.error); }});
}

void EngineProcess::Impl::ended(int code, QProcess::ExitStatus status) {
  read_log();
  const bool lost = status == QProcess::NormalExit && code == server::exit_device_lost;
  if (lost && losses_++ < most_losses) return start(EngineOptions(options_));
  if (lost) return fail_with({Error::Kind::device_lost, "The device that computes stopped working again", last_words(), "Choose another device, or restart the engine"});
  if (log_lines_.isEmpty() && log_.rest().isEmpty()) log_lines_ << out_.rest();
  const bool before_ready = state_ != State::ready;
  std::string cause = status == QProcess::CrashExit ? "it crashed" : "it ended with code " + std::to_string(code);
  if (const std::string words = last_words(); !words.empty()) cause += "; its last words: " + words;
  fail_with(
      {Error::Kind::io, before_ready ? "The engine stopped while it was starting" : "The engine stopped", cause, "Restart the engine"});
}

EngineProcess::EngineProcess(QObject* parent) : QObject(parent), impl_(std::make_unique<Impl>(this)) {}

EngineProcess::~EngineProcess() {
  impl_->watch_.reset();
  for (QProcess* process : findChildren<QProcess*>()) {
    process->disconnect(this);
    process->closeWriteChannel();
    process->terminate();
  }
  for (QProcess* process : findChildren<QProcess*>()) {
    if (process->state() != QProcess::NotRunning && !process->waitForFinished(kill_after_ms)) process->kill();
    process->waitForFinished(5000);
  }
}

void EngineProcess::start(const EngineOptions& options) {
  impl_->losses_ = 0;
  impl_->start(options);
}

void EngineProcess::restart() { start(EngineOptions(impl_->options_)); }

void EngineProcess::stop() {
  impl_->release();
  impl_->props_ = {};
  impl_->set_state(State::stopped);
}

EngineProcess::State EngineProcess::state() const { return impl_->state_; }
double EngineProcess::progress() const { return impl_->progress_; }
QUrl EngineProcess::url() const { return impl_->url_; }
QString EngineProcess::token() const { return impl_->token_; }
Error EngineProcess::error() const { return impl_->error_; }
qint64 EngineProcess::pid() const { return impl_->process_ ? impl_->process_->processId() : 0; }
QJsonObject EngineProcess::props() const { return impl_->props_; }

}  // namespace lava::app
