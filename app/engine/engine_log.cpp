#include "app/engine/engine_log.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>

namespace lava::app {
namespace {

constexpr qint64 most_kept = 1 << 20;     // of earlier runs, before the file is put aside
constexpr qint64 most_of_a_run = 4 << 20;

}  // namespace

void EngineLog::begin(const QString& file, const QString& what) {
  file_.close();
  written_ = 0;
  if (file.isEmpty()) return;
  QDir().mkpath(QFileInfo(file).path());
  if (QFileInfo(file).size() > most_kept) {
    QFile::remove(file + ".1");
    QFile::rename(file, file + ".1");
  }
  file_.setFileName(file);
  if (!file_.open(QIODevice::WriteOnly | QIODevice::Append)) return;  // the engine works without
  file_.setPermissions(QFile::ReadOwner | QFile::WriteOwner);         // it names files of the user
  line(what);
}

void EngineLog::line(const QString& text) {
  if (!file_.isOpen() || written_ > most_of_a_run) return;
  write(text);
  if (written_ > most_of_a_run) write("What follows is not kept.");
}

void EngineLog::write(const QString& text) {
  const QByteArray bytes = (QDateTime::currentDateTime().toString("yyyy-MM-dd HH:mm:ss ") + text + '\n').toUtf8();
  written_ += bytes.size();
  file_.write(bytes);
  file_.flush();
}

}  // namespace lava::app
