// A thin owner of one SQLite connection and its statements; every failure becomes an Error that a user can read.
#pragma once
#include <QString>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "kernels/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lava::app {

enum class Access { read_write, read_only };

class Database {
 public:
  static Result<Database> open(const QString& file, Access access);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  Result<void> execute(std::string_view sql);        // one or many statements without results
  Result<qint64> integer(std::string_view sql);      // first column of the first row
  Result<QString> quick_check(int most_lines = 20);  // "ok", or the findings
  // Online backup: readers and the writer go on. Written beside and renamed, so that a copy is whole or not there. `stop`, when
  // given, is asked between pieces.
  Result<void> copy_to(const QString& file, const std::function<bool()>& stop = {});
  void interrupt();  // from any thread: ends the running statement
  qint64 last_id() const;
  int changes() const;
  sqlite3* handle() const { return handle_.get(); }
  Error error() const;  // of the last failed call

 private:
  struct Close {
    void operator()(sqlite3*) const;
  };
  static Result<Database> open_at(const QString& file, Access access, bool frozen);
  Database(sqlite3* handle, QString file) : handle_(handle), file_(std::move(file)) {}
  std::unique_ptr<sqlite3, Close> handle_;
  QString file_;
};

// One use of one SQL statement. Values bind in order; a failure is kept and reported by run() or ok().
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(qint64 value);
  Statement& bind(const QString& value);
  Statement& bind_id(qint64 value);  // 0 becomes NULL
  bool next();                       // true: a row is there
  void reset();                      // for another use with other values
  Result<void> run();                // to the end
  Result<void> ok() const;

  qint64 integer(int column) const;
  QString text(int column) const;
  bool null(int column) const;

 private:
  void keep(int code);
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int place_ = 0;
  std::optional<Error> error_;
};

}  // namespace lava::app
