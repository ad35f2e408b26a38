// The schema as numbered steps. PRAGMA user_version holds the number of the last step done.
#pragma once
#include <QString>
#include <span>
#include <string_view>

#include "app/history/database.h"

namespace lava::app {

std::span<const std::string_view> migration_texts();  // generated from migrations/NNN.sql, first is 001

// Brings the database to steps.size(), each step in a transaction of its own. An existing database is first copied to
// `backups`/history-vN-TIME.sqlite. Does nothing when it is up to date; a newer database is the caller's matter.
Result<void> migrate(Database& database, std::span<const std::string_view> steps, const QString& backups);

}  // namespace lava::app
