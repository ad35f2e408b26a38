#include "app/settings/preferences.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QSaveFile>
#include <QTemporaryFile>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "app/settings/paths.h"
#include "kernels/devices.h"

namespace lava::app::preferences {
namespace {

constexpr qint64 most_bytes = 1 << 20;

QString file_name() { return paths::config() + "/settings.json"; }
QString token_name() { return paths::config() + "/server-token.json"; }

// Nothing: the file is damaged. A missing or empty one has no settings.
std::optional<QJsonObject> read() {
  QFile file(file_name());
  if (!file.exists() || file.size() == 0) return QJsonObject();
  if (!file.open(QIODevice::ReadOnly) || file.size() > most_bytes) return std::nullopt;
  const QJsonDocument document = QJsonDocument::fromJson(file.readAll());
  return document.isObject() ? std::optional(document.object()) : std::nullopt;
}

tl::unexpected<Error> cannot_write(const QString& file, const QString& reason) {
  return fail(Error::Kind::io, "The settings cannot be written", file.toStdString() + ": " + reason.toStdString(), "Make room, or make that folder writable");
}

Result<void> change(const std::function<void(QJsonObject&)>& what) {
  std::optional<QJsonObject> all = read();
  if (!all) {
    const QString kept = file_name() + ".damaged";
    QFile::remove(kept);
    if (!QFile::rename(file_name(), kept)) return cannot_write(file_name(), "it is damaged and cannot be put aside");
    all = QJsonObject();
  }
  what(*all);
  QDir().mkpath(paths::config());
  QSaveFile file(file_name());
  if (!file.open(QIODevice::WriteOnly)) return cannot_write(file_name(), file.errorString());
  file.write(QJsonDocument(*all).toJson());
  if (!file.commit()) return cannot_write(file_name(), file.errorString());
  return {};
}

// Qt's temporary files are the user's alone from the moment that they are there (mode 0600), which its save files are not.
Result<void> keep_token(const Server& server) {
  if (server.token.isEmpty()) {
    QFile::remove(token_name());
    return {};
  }
  QDir().mkpath(paths::config());
  QTemporaryFile file(token_name() + ".XXXXXX");
  if (!file.open()) return cannot_write(token_name(), file.errorString());
  file.write(QJsonDocument(QJsonObject{{"address", server.address}, {"token", server.token}}).toJson());
  if (!file.flush() || ::fsync(file.handle()) != 0 || ::rename(QFile::encodeName(file.fileName()), QFile::encodeName(token_name())) != 0)
    return cannot_write(token_name(), file.error() == QFile::NoError ? qt_error_string() : file.errorString());
  file.setAutoRemove(false);
  return {};
}

}  // namespace

QString device() {
  const QString choice = read().value_or(QJsonObject()).value("device").toString();
  return parse_device(choice.toStdString()) ? choice : QString();
}

Result<void> set_device(const QString& choice) {
  return change([&](QJsonObject& all) {
    all["device"] = choice;
    if (!all["server"].isObject()) return;
    QJsonObject server = all["server"].toObject();
    server["used"] = false;
    all["server"] = server;
  });
}

Server server() {
  const QJsonObject kept = read().value_or(QJsonObject()).value("server").toObject();
  Server server{kept["address"].toString(), {}, kept["used"].toBool(), kept["model"].toString()};
  QFile file(token_name());
  if (server.address.isEmpty() || !file.open(QIODevice::ReadOnly)) return server;
  const QJsonObject secret = QJsonDocument::fromJson(file.read(most_bytes)).object();
  if (secret["address"] == server.address) server.token = secret["token"].toString();
  return server;
}

Result<void> set_server(const Server& server) {
  LAVA_CHECK_OK(keep_token(server));
  return change([&](QJsonObject& all) {
    QJsonObject kept{{"address", server.address}, {"used", server.used}};
    if (!server.model.isEmpty()) kept["model"] = server.model;
    all["server"] = kept;
  });
}

}  // namespace lava::app::preferences
