#include "app/history/migrations.h"

#include <QDateTime>
#include <QDir>

namespace lava::app {
namespace {

Result<void> back_up(Database& database, qint64 version, const QString& backups) {
  if (!QDir().mkpath(backups))
    return fail(Error::Kind::io, "The folder for backups cannot be made", backups.toStdString(), "Check the permissions of the folder");
  const QString time = QDateTime::currentDateTimeUtc().toString("yyyyMMdd-hhmmsszzz");
  return database.copy_to(QDir(backups).filePath(QString("history-v%1-%2.sqlite").arg(version).arg(time)));
}

}  // namespace

Result<void> migrate(Database& database, std::span<const std::string_view> steps, const QString& backups) {
  LAVA_TRY(const qint64 version, database.integer("PRAGMA user_version"));
  const auto wanted = static_cast<qint64>(steps.size());
  if (version < 0 || version >= wanted) return {};
  if (version > 0) LAVA_CHECK_OK(back_up(database, version, backups));
  for (qint64 step = version; step < wanted; ++step) {
    LAVA_CHECK_OK(database.execute("BEGIN IMMEDIATE"));
    Result<void> done = database.execute(steps[step]);
    if (done) done = database.execute("PRAGMA user_version = " + std::to_string(step + 1));
    if (done) done = database.execute("COMMIT");
    if (!done) {
      static_cast<void>(database.execute("ROLLBACK"));
      return done;
    }
  }
  return {};
}

}  // namespace lava::app
