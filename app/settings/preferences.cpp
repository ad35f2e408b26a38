#include "app/settings/preferences.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <optional>

#include "app/settings/paths.h"
#include "kernels/devices.h"

namespace lava::app::preferences {
namespace {

constexpr qint64 most_bytes = 1 << 20;

QString file_name() { return paths::config() + "/settings.json"; }

// Nothing: the file is damaged. A missing or empty one has no settings.
std::optional<QJsonObject> read() {
  QFile file(file_name());
  if (!file.exists() || file.size() == 0) return QJsonObject();
  if (!file.open(QIODevice::ReadOnly) || file.size() > most_bytes) return std::nullopt;
  const QJsonDocument document = QJsonDocument::fromJson(file.readAll());
  return document.isObject() ? std::optional(document.object()) : std::nullopt;
}

tl::unexpected<Error> cannot_write(const QString& reason) {
  return fail(Error::Kind::io, "The settings cannot be written", file_name().toStdString() + ": " + reason.toStdString(), "Make room, or make that folder writable");
}

}  // namespace

QString device() {
  const QString choice = read().value_or(QJsonObject()).value("device").toString();
  return parse_device(choice.toStdString()) ? choice : QString();
}

Result<void> set_device(const QString& choice) {
  std::optional<QJsonObject> all = read();
  if (!all) {
    const QString kept = file_name() + ".damaged";
    QFile::remove(kept);
    if (!QFile::rename(file_name(), kept)) return cannot_write("it is damaged and cannot be put aside");
    all = QJsonObject();
  }
  all->insert("device", choice);
  QDir().mkpath(paths::config());
  QSaveFile file(file_name());
  if (!file.open(QIODevice::WriteOnly)) return cannot_write(file.errorString());
  file.write(QJsonDocument(*all).toJson());
  if (!file.commit()) return cannot_write(file.errorString());
  return {};
}

}  // namespace lava::app::preferences
