#include "app/settings/preferences.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>

#include "app/settings/paths.h"

namespace lava::app::preferences {
namespace {

constexpr qint64 most_bytes = 1 << 20;

QString file_name() { return paths::config() + "/settings.json"; }

// A damaged file counts as an empty one.
QJsonObject read() {
  QFile file(file_name());
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QJsonDocument::fromJson(file.read(most_bytes)).object();
}

}  // namespace

QString device() { return read().value("device").toString(); }

bool set_device(const QString& choice) {
  QJsonObject all = read();
  all["device"] = choice;
  QDir().mkpath(paths::config());
  QSaveFile file(file_name());
  if (!file.open(QIODevice::WriteOnly)) return false;
  file.write(QJsonDocument(all).toJson());
  return file.commit();
}

}  // namespace lava::app::preferences
