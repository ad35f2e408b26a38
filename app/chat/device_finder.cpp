#include "app/chat/device_finder.h"

#include <QProcess>
#include <QTimer>
#include <utility>

#include "app/engine/engine_process.h"

namespace lava::app {
namespace {

tl::unexpected<Error> cannot_list(std::string cause) {
  return fail(Error::Kind::io, "The devices of this computer cannot be listed", std::move(cause), "The processor can be chosen all the same; close this and open it again to look once more");
}

Result<FoundDevices> outcome(QProcess& process) {
  if (process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0) return read_devices(process.readAllStandardOutput());
  const std::string words = QString::fromUtf8(process.readAllStandardError()).trimmed().left(300).toStdString();
  const std::string end = process.exitStatus() == QProcess::CrashExit ? "the engine's program crashed in a driver" : "the engine's program ended with code " + std::to_string(process.exitCode());
  return cannot_list(words.empty() ? end : end + ": " + words);
}

}  // namespace

DeviceFinder::~DeviceFinder() {
  if (!process_) return;
  process_->disconnect(this);
  process_->kill();
  process_->waitForFinished(1000);
}

void DeviceFinder::find(const QString& program, int patience_ms) {
  if (process_) return;
  const auto found = find_engine_program(program);
  if (!found) return end(tl::unexpected(found.error()));
  process_ = new QProcess(this);
  connect(process_, &QProcess::finished, this, [this] { end(outcome(*process_)); });
  connect(process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError problem) {
    if (problem == QProcess::FailedToStart) end(cannot_list(process_->errorString().toStdString()));
  });
  QTimer::singleShot(patience_ms, process_, [this, patience_ms] {
    process_->disconnect(this);
    process_->kill();
    end(cannot_list("a driver has not answered for " + std::to_string((patience_ms + 999) / 1000) + " seconds"));
  });
  found_.state = FoundDevices::State::looking;
  emit changed();
  process_->start(*found, {"devices", "--json"});
}

void DeviceFinder::end(Result<FoundDevices> found) {
  if (process_) std::exchange(process_, nullptr)->deleteLater();
  if (found) {
    found_ = std::move(*found);
  } else {
    found_.state = FoundDevices::State::failed;
    found_.notes = {QString::fromStdString(found.error().message())};
  }
  emit changed();
}

}  // namespace lava::app
