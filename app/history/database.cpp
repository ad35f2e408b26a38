#include "app/history/database.h"

#include <sqlite3.h>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QUrl>
#include <cerrno>
#include <cstring>

namespace lava::app {
namespace {

bool no_space(int code, int system_error) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  return (code & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG);
}

Error describe(int code, int system_error, const std::string& cause, const QString& file) {
  const std::string place = QDir::toNativeSeparators(file).toStdString();
  if (no_space(code, system_error))
    return {Error::Kind::io, "The disk is full, so the change was not saved", "no space left for " + place,
            "Free some space and try again; everything saved before is still there"};
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Error::Kind::invalid, "The history is damaged", place + ": " + cause,
              "Put a copy from the folder \"backups\" beside it in its place, or move the file away to start anew"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Error::Kind::io, "The history cannot be written", place + ": " + cause, "Check the permissions of the folder"};
    case SQLITE_CANTOPEN:
      return {Error::Kind::io, "The history cannot be opened", place + ": " + cause,
              "Check that the folder exists and that you may write there"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Error::Kind::busy, "The history is in use by another program", place + ": " + cause, "Close the other program and try again"};
    case SQLITE_NOMEM:
      return {Error::Kind::out_of_memory, "There is not enough memory to work on the history", cause, "Close other programs and try again"};
    case SQLITE_INTERRUPT: return {Error::Kind::cancelled, "Reading the history was stopped", {}, {}};
    case SQLITE_IOERR:
      return {Error::Kind::io, "The history cannot be read or written",
              place + ": " + (system_error ? std::strerror(system_error) : cause.c_str()), "Check the disk"};
    default: return {Error::Kind::internal, "The history could not do what was asked", cause, {}};
  }
}

QString location(const QString& file, bool frozen) {
  const QUrl url = QUrl::fromLocalFile(QFileInfo(file).absoluteFilePath());
  return QString::fromLatin1(url.toEncoded()) + (frozen ? "?immutable=1" : "");
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open_at(const QString& file, Access access, bool frozen) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::read_write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  errno = 0;
  const int code = sqlite3_open_v2(location(file, frozen).toUtf8().constData(), &handle, flags, nullptr);
  Database database(handle, file);
  if (code != SQLITE_OK) return tl::unexpected(describe(code, errno, sqlite3_errstr(code), file));
  sqlite3_busy_timeout(handle, 5000);
  LAVA_CHECK_OK(database.execute("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"));
  // The writer cannot do without: the word index is kept by triggers on a virtual table.
  if (access == Access::read_only) LAVA_CHECK_OK(database.execute("PRAGMA trusted_schema = OFF"));
  return database;
}

Result<Database> Database::open(const QString& file, Access access) {
  auto database = open_at(file, access, false);
  if (access == Access::read_write) return database;
  const auto first_read = database ? database->integer("PRAGMA schema_version") : Result<qint64>(tl::unexpected(database.error()));
  if (first_read || first_read.error().kind != Error::Kind::io || !QFileInfo(file).isFile() || QFileInfo(file + "-wal").size() > 0)
    return database;
  // Reading needs a small shared file, which a full disk or a folder without write permission denies. Without a log
  // nobody is writing, and the file can be read as it is.
  return open_at(file, access, true);
}

Error Database::error() const {
  const int last = errno;  // SQLite does not keep the system's error of a failed COMMIT, so callers clear errno before they run one
  sqlite3* handle = handle_.get();
  const int kept = sqlite3_system_errno(handle);
  return describe(sqlite3_extended_errcode(handle), kept ? kept : last, sqlite3_errmsg(handle), file_);
}

Result<void> Database::execute(std::string_view sql) {
  errno = 0;
  if (sqlite3_exec(handle_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return tl::unexpected(error());
  return {};
}

Result<qint64> Database::integer(std::string_view sql) {
  Statement statement(*this, sql);
  const qint64 value = statement.next() ? statement.integer(0) : 0;
  LAVA_CHECK_OK(statement.ok());
  return value;
}

Result<QString> Database::quick_check(int most_lines) {
  Statement statement(*this, "PRAGMA quick_check(" + std::to_string(most_lines) + ")");
  QStringList lines;
  while (statement.next()) lines << statement.text(0);
  LAVA_CHECK_OK(statement.ok());
  return lines.join('\n');
}

Result<void> Database::copy_to(const QString& file, const std::function<bool()>& stop) {
  const QString unfinished = file + ".part";
  QFile::remove(unfinished);
  auto copied = [&]() -> Result<void> {
    LAVA_TRY(Database copy, open(unfinished, Access::read_write));
    sqlite3_backup* backup = sqlite3_backup_init(copy.handle(), "main", handle_.get(), "main");
    if (!backup) return tl::unexpected(copy.error());
    int step = SQLITE_OK;
    while (step == SQLITE_OK && !(stop && stop())) step = sqlite3_backup_step(backup, 1000);
    const int end = errno;
    sqlite3_backup_finish(backup);
    if (step == SQLITE_OK) return fail(Error::Kind::cancelled, "The backup was stopped");
    if (step != SQLITE_DONE) return tl::unexpected(describe(step, end, sqlite3_errstr(step), file));
    LAVA_TRY(const QString report, copy.quick_check(1));
    if (report != "ok") return fail(Error::Kind::io, "The backup of the history is not readable", report.toStdString(), "Check the disk");
    return {};
  }();
  if (copied && (!QFile::exists(file) || QFile::remove(file)) && QFile::rename(unfinished, file)) return {};
  QFile::remove(unfinished);
  if (!copied) return copied;
  return fail(Error::Kind::io, "The backup of the history cannot be written", QDir::toNativeSeparators(file).toStdString(),
              "Check the permissions of the folder");
}

void Database::interrupt() { sqlite3_interrupt(handle_.get()); }
qint64 Database::last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
int Database::changes() const { return sqlite3_changes(handle_.get()); }

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  keep(sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr));
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::keep(int code) {
  if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE && !error_) error_ = database_.error();
}

Statement& Statement::bind(qint64 value) {
  if (!error_) keep(sqlite3_bind_int64(statement_, ++place_, value));
  return *this;
}

Statement& Statement::bind_id(qint64 value) {
  if (value != 0) return bind(value);
  if (!error_) keep(sqlite3_bind_null(statement_, ++place_));
  return *this;
}

Statement& Statement::bind(const QString& value) {
  const QByteArray utf8 = value.toUtf8();
  if (!error_) keep(sqlite3_bind_text64(statement_, ++place_, utf8.constData(), utf8.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

bool Statement::next() {
  if (error_) return false;
  errno = 0;
  const int code = sqlite3_step(statement_);
  keep(code);
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  place_ = 0;
}

Result<void> Statement::run() {
  while (next()) {
  }
  return ok();
}

Result<void> Statement::ok() const {
  if (error_) return tl::unexpected(*error_);
  return {};
}

qint64 Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
bool Statement::null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

QString Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return QString::fromUtf8(bytes, bytes ? sqlite3_column_bytes(statement_, column) : 0);
}

}  // namespace lava::app
