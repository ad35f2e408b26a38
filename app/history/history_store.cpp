#include "app/history/history_store.h"

#include <QDir>
#include <QFileInfo>
#include <QPromise>
#include <atomic>
#include <mutex>
#include <thread>

#include "app/history/database.h"
#include "app/history/folder_lock.h"
#include "app/history/migrations.h"
#include "app/history/reader_pool.h"
#include "app/history/reads.h"
#include "app/history/writer.h"
#include "app/history/writes.h"

namespace lava::app {
namespace {

// WAL with FULL: a commit is on the disk before its future is ready, so it outlives a power cut too. Commits are few
// (about one a second while an answer streams), so the extra fsync is not felt.
constexpr std::string_view writer_settings =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 8388608;";

constexpr const char* other_window = "Another Lavascope window writes this history; here it can only be read";
constexpr const char* newer_file = "This history was written by a newer Lavascope; it can only be read here";
constexpr const char* damaged = "The history is damaged; it can only be read until a backup is restored";

struct Opened {
  std::unique_ptr<HistoryWriter> writer;
  QString reason;  // why there is no writer
  QString report;  // of a damaged file
};

Result<Database> open_writer(const QString& file, const QString& folder) {
  LAVA_TRY(Database database, Database::open(file, Access::read_write));
  QFile::setPermissions(file, QFile::ReadOwner | QFile::WriteOwner);  // the log and the shared file take these over
  LAVA_TRY(const qint64 version, database.integer("PRAGMA user_version"));
  if (version > static_cast<qint64>(migration_texts().size())) return fail(Error::Kind::unsupported, newer_file);
  LAVA_CHECK_OK(database.execute(writer_settings));
  LAVA_CHECK_OK(migrate(database, migration_texts(), QDir(folder).filePath("backups")));
  LAVA_CHECK_OK(end_interrupted_streams(database));
  return database;
}

Result<Opened> open_for_writing(const QString& file, const QString& folder, const FolderLock& lock) {
  if (!lock.held()) {
    if (lock.taken_by_other()) return Opened{nullptr, other_window, {}};
    return Opened{
        nullptr, QString("The folder %1 cannot be written; the history can only be read").arg(QDir::toNativeSeparators(folder)), {}};
  }
  auto database = open_writer(file, folder);
  if (database) return Opened{std::make_unique<HistoryWriter>(std::move(*database)), {}, {}};
  const Error& error = database.error();
  if (error.kind == Error::Kind::unsupported) return Opened{nullptr, newer_file, {}};
  if (error.kind == Error::Kind::invalid) return Opened{nullptr, damaged, QString::fromStdString(error.message())};
  // What is there can perhaps still be read, on a full disk for one.
  if (QFileInfo(file).size() > 0) return Opened{nullptr, QString::fromStdString(error.message()), {}};
  return tl::unexpected(error);
}

}  // namespace

class HistoryStore::Impl {
 public:
  Impl(const QString& folder, const QString& file) : lock(QDir(folder).filePath("history.lock")), file(file), readers(file) {}
  ~Impl() {
    {
      std::lock_guard guard(check_mutex);
      ending = true;
      if (checker) checker->interrupt();
    }
    if (check_thread.joinable()) check_thread.join();
    writer.reset();
  }

  void stop_writing(const QString& why) {
    std::lock_guard guard(reason_mutex);
    if (reason.isEmpty()) reason = why;
    read_only = true;
  }

  FolderLock lock;
  QString file;
  mutable ReaderPool readers;
  std::unique_ptr<HistoryWriter> writer;
  std::atomic<bool> read_only = false;
  std::mutex reason_mutex;
  QString reason, open_report;
  std::thread check_thread;
  std::mutex check_mutex;
  std::optional<Database> checker;
  bool ending = false;  // like checker, under check_mutex

  QString run_check();
  void back_up_daily(Database& database);
  // Queues `work` as one transaction; `tell` runs after the commit, before the future is ready.
  template <class T>
  QFuture<Result<T>> write(std::function<Result<T>(Database&)> work, std::function<void()> tell);
};

namespace {

template <class T>
Result<T> transact(Database& database, const std::function<Result<T>(Database&)>& work) {
  LAVA_CHECK_OK(database.execute("BEGIN IMMEDIATE"));
  Result<T> value = work(database);
  if (value) {
    if (auto committed = database.execute("COMMIT"); !committed) value = tl::unexpected(committed.error());
  }
  // A full disk may have ended the transaction already; then there is nothing to roll back.
  if (!value) static_cast<void>(database.execute("ROLLBACK"));
  return value;
}

}  // namespace

template <class T>
QFuture<Result<T>> HistoryStore::Impl::write(std::function<Result<T>(Database&)> work, std::function<void()> tell) {
  auto promise = std::make_shared<QPromise<Result<T>>>();
  promise->start();
  QFuture<Result<T>> future = promise->future();
  auto settle = [promise](Result<T> value) {
    promise->addResult(std::move(value));
    promise->finish();
  };
  auto refuse = [this, settle] {
    std::lock_guard guard(reason_mutex);
    settle(fail(Error::Kind::io, reason.toStdString()));
  };
  if (!writer) {
    refuse();
    return future;
  }
  writer->enqueue([this, settle, refuse, work = std::move(work), tell = std::move(tell)](Database& database) {
    if (read_only) return refuse();
    Result<T> value = transact(database, work);
    if (value) tell();
    if (!value && value.error().kind == Error::Kind::invalid) stop_writing(damaged);
    settle(std::move(value));
  });
  return future;
}

// A copy a day of a file that was just found sound; the last five stay. What goes wrong here is no matter of the user's.
void HistoryStore::Impl::back_up_daily(Database& database) {
  QDir backups(QFileInfo(file).dir().filePath("backups"));
  const QString today = "history-day-" + QDate::currentDate().toString("yyyyMMdd") + ".sqlite";
  if (backups.exists(today) || !backups.mkpath(".")) return;
  const auto stop = [this] {
    std::lock_guard guard(check_mutex);
    return ending;
  };
  if (!database.copy_to(backups.filePath(today), stop)) return;
  QStringList days = backups.entryList({"history-day-*.sqlite"}, QDir::Files, QDir::Name);
  while (days.size() > 5) backups.remove(days.takeFirst());
}

// "ok", findings, or empty when the store is being closed. Runs on check_thread.
QString HistoryStore::Impl::run_check() {
  auto opened = Database::open(file, Access::read_only);
  if (!opened) return QString::fromStdString(opened.error().message());
  {
    std::lock_guard guard(check_mutex);
    if (ending) return {};
    checker.emplace(std::move(*opened));
  }
  auto report = checker->quick_check();
  if (report && *report == "ok" && writer) back_up_daily(*checker);
  std::lock_guard guard(check_mutex);
  if (ending) return {};
  checker.reset();
  return report ? *report : QString::fromStdString(report.error().message());
}

Result<std::unique_ptr<HistoryStore>> HistoryStore::open(const QString& folder) {
  const bool known = QFileInfo::exists(folder);
  if (!QDir().mkpath(folder))
    return fail(Error::Kind::io, "The folder for the history cannot be made", QDir::toNativeSeparators(folder).toStdString(),
                "Check the permissions of the folder above it");
  if (!known) QFile::setPermissions(folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
  const QString file = QDir(folder).filePath("history.sqlite");
  auto impl = std::make_unique<Impl>(folder, file);
  LAVA_TRY(Opened opened, open_for_writing(file, folder, impl->lock));
  impl->writer = std::move(opened.writer);
  impl->open_report = opened.report;
  if (!impl->writer) impl->stop_writing(opened.reason);
  return std::unique_ptr<HistoryStore>(new HistoryStore(std::move(impl)));
}

HistoryStore::HistoryStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  // Queued, so that whoever opened the store can connect to check_finished first.
  QMetaObject::invokeMethod(
      this, [this] { start_check(); }, Qt::QueuedConnection);
}

HistoryStore::~HistoryStore() { impl_.reset(); }

void HistoryStore::start_check() {
  if (!impl_->open_report.isEmpty()) {
    emit check_finished(false, impl_->open_report);
    return;
  }
  impl_->check_thread = std::thread([this] {
    const QString report = impl_->run_check();
    if (report.isEmpty()) return;
    const bool ok = report == "ok";
    if (!ok) impl_->stop_writing(damaged);
    emit check_finished(ok, ok ? QString() : report);
  });
}

std::vector<Chat> HistoryStore::chats(const QString& search) const {
  return impl_->readers.with([&](Database& d) { return read_chats(d, search, false); }, std::vector<Chat>{});
}

std::vector<SearchHit> HistoryStore::search(const QString& words, int most) const {
  return impl_->readers.with([&](Database& d) { return read_hits(d, words, most); }, std::vector<SearchHit>{});
}

std::vector<Chat> HistoryStore::bin() const {
  return impl_->readers.with([&](Database& d) { return read_chats(d, {}, true); }, std::vector<Chat>{});
}

std::optional<Chat> HistoryStore::chat(ChatId id) const {
  return impl_->readers.with([&](Database& d) { return read_chat(d, id); }, std::optional<Chat>{});
}

std::vector<Message> HistoryStore::branch(ChatId id) const {
  const bool dead_streams = !impl_->writer;
  return impl_->readers.with([&](Database& d) { return read_branch(d, id, dead_streams); }, std::vector<Message>{});
}

std::vector<MessageId> HistoryStore::siblings(MessageId id) const {
  return impl_->readers.with([&](Database& d) { return read_siblings(d, id); }, std::vector<MessageId>{});
}

MessageId HistoryStore::newest_leaf(MessageId id) const {
  return impl_->readers.with([&](Database& d) { return read_newest_leaf(d, id); }, id);
}

QFuture<Result<ChatId>> HistoryStore::create_chat(const QString& title) {
  return impl_->write<ChatId>([title](Database& d) { return insert_chat(d, title); }, [this] { emit changed(); });
}

QFuture<Result<void>> HistoryStore::rename_chat(ChatId id, const QString& title) {
  return impl_->write<void>([id, title](Database& d) { return write_title(d, id, title); }, [this] { emit changed(); });
}

QFuture<Result<void>> HistoryStore::set_pinned(ChatId id, bool pinned) {
  return impl_->write<void>([id, pinned](Database& d) { return write_pinned(d, id, pinned); }, [this] { emit changed(); });
}

QFuture<Result<void>> HistoryStore::delete_chat(ChatId id) {
  return impl_->write<void>([id](Database& d) { return write_binned(d, id, true); }, [this] { emit changed(); });
}

QFuture<Result<void>> HistoryStore::restore_chat(ChatId id) {
  return impl_->write<void>([id](Database& d) { return write_binned(d, id, false); }, [this] { emit changed(); });
}

QFuture<Result<MessageId>> HistoryStore::add_message(const Message& message) {
  return impl_->write<MessageId>([message](Database& d) { return insert_message(d, message); }, [this] { emit changed(); });
}

QFuture<Result<void>> HistoryStore::update_message(const Message& message) {
  auto listed = std::make_shared<bool>(false);
  auto work = [message, listed](Database& d) -> Result<void> {
    LAVA_TRY(*listed, write_message(d, message));
    return {};
  };
  return impl_->write<void>(work, [this, listed] {
    if (*listed) emit changed();
  });
}

QFuture<Result<void>> HistoryStore::select_leaf(ChatId id, MessageId leaf) {
  return impl_->write<void>([id, leaf](Database& d) { return write_leaf(d, id, leaf); }, [] {});
}

bool HistoryStore::read_only() const { return impl_->read_only; }

bool HistoryStore::is_damaged() const {
  std::lock_guard guard(impl_->reason_mutex);
  return impl_->reason == damaged;
}

QString HistoryStore::read_only_reason() const {
  std::lock_guard guard(impl_->reason_mutex);
  return impl_->reason;
}

}  // namespace lava::app
