// What was reported as saved is still there after kill -9 at any moment, and after the disk was full.
#include <signal.h>
#include <sys/resource.h>

#include <QFile>
#include <QHash>
#include <QProcess>
#include <QRandomGenerator>
#include <QTemporaryDir>
#include <QtTest>

#include "app/history/database.h"
#include "app/history/history_store.h"

using namespace lava::app;

namespace {

// What the writer reported as committed.
struct Reported {
  QSet<qint64> chats;
  QHash<qint64, qint64> parents;  // message -> parent
  QHash<qint64, qint64> lengths;  // message -> characters
  QStringList errors;
  qint64 chats_read_after = -1;
  qint64 commits = 0;

  void read(const QByteArray& output) {
    for (const QByteArray& line : output.left(output.lastIndexOf('\n') + 1).split('\n')) {
      const QByteArrayList words = line.split(' ');
      commits += words[0] == "C" || words[0] == "M" || words[0] == "U";
      if (words[0] == "C") chats << words[1].toLongLong();
      if (words[0] == "M") parents[words[1].toLongLong()] = words[2].toLongLong();
      if (words[0] == "U") lengths[words[1].toLongLong()] = words[2].toLongLong();
      if (words[0] == "E") errors << QString::fromUtf8(line.mid(2));
      if (words[0] == "R") chats_read_after = words[1].toLongLong();
    }
  }
};

QString writer() { return QCoreApplication::applicationDirPath() + "/history_writer"; }

// Empty when everything reported is in the file, else what is not.
QString missing(const QString& folder, const Reported& reported) {
  auto database = Database::open(folder + "/history.sqlite", Access::read_only);
  if (!database) return QString::fromStdString(database.error().message());
  const auto check = database->quick_check();
  if (!check || *check != "ok") return "quick_check: " + (check ? *check : QString::fromStdString(check.error().message()));
  QHash<qint64, std::pair<qint64, qint64>> rows;
  Statement messages(*database, "SELECT id, coalesce(parent, 0), length(text) FROM message");
  while (messages.next()) rows[messages.integer(0)] = {messages.integer(1), messages.integer(2)};
  QSet<qint64> chats;
  Statement list(*database, "SELECT id FROM chat");
  while (list.next()) chats << list.integer(0);
  for (const qint64 chat : reported.chats)
    if (!chats.contains(chat)) return QString("chat %1").arg(chat);
  for (auto it = reported.parents.begin(); it != reported.parents.end(); ++it)
    if (!rows.contains(it.key()) || rows[it.key()].first != it.value()) return QString("message %1").arg(it.key());
  for (auto it = reported.lengths.begin(); it != reported.lengths.end(); ++it)
    if (rows.value(it.key()).second < it.value()) return QString("text of message %1").arg(it.key());
  return {};
}

}  // namespace

class HistorySurvivesTest : public QObject {
  Q_OBJECT
 private slots:
  void kill_at_any_moment();
  void a_full_disk();
  void a_disk_that_is_full_from_the_start();
  void a_history_of_version_1_opens();
};

void HistorySurvivesTest::kill_at_any_moment() {
  const int wanted = qEnvironmentVariableIntValue("LAVA_KILLS"), kills = wanted > 0 ? wanted : 100;
  QTemporaryDir folder;
  Reported reported;
  for (int i = 0; i < kills; ++i) {
    QProcess process;
    process.start(writer(), {folder.path()});
    QVERIFY(process.waitForStarted());
    // Half of them at any moment from the start on, half surely in the stream, however slow the machine is.
    if (i % 2) QVERIFY(process.waitForReadyRead(20000));
    QTest::qSleep(QRandomGenerator::global()->bounded(0, 120));
    ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
    QVERIFY(process.waitForFinished());
    QCOMPARE(process.exitStatus(), QProcess::CrashExit);
    reported.read(process.readAllStandardOutput());
    QVERIFY2(reported.errors.isEmpty(), qPrintable(reported.errors.join(' ')));
    const QString lost = reported.chats.isEmpty() ? QString() : missing(folder.path(), reported);
    QVERIFY2(lost.isEmpty(), qPrintable(QString("after kill %1: %2").arg(i + 1).arg(lost)));
  }
  qInfo("%d kills, %lld commits reported, none lost", kills, static_cast<long long>(reported.commits));
  QVERIFY(reported.commits > kills);  // the kills did come while it wrote
  // The last stream was cut: opening it again makes it a stopped answer that search finds.
  auto store = HistoryStore::open(folder.path());
  QVERIFY(store);
  auto database = Database::open(folder.path() + "/history.sqlite", Access::read_only);
  QCOMPARE(*database->integer("SELECT count(*) FROM message WHERE state = 'streaming'"), 0);
  QCOMPARE(*database->integer("SELECT count(*) FROM message_words WHERE message_words MATCH 'yellow'"),
           *database->integer("SELECT count(*) FROM message WHERE text LIKE '%yellow%'"));
}

void HistorySurvivesTest::a_full_disk() {
  QTemporaryDir folder;
  Reported reported;
  QProcess process;
  // A limit on the size of files acts like a disk that is full at that byte.
  process.setChildProcessModifier([] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{600 << 10, 600 << 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  process.start(writer(), {folder.path()});
  QVERIFY(process.waitForFinished(60000));
  reported.read(process.readAllStandardOutput());
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);  // it went on after the failed write
  QCOMPARE(process.exitCode(), 2);
  QCOMPARE(reported.errors.size(), 1);
  QVERIFY2(reported.errors[0].startsWith("The disk is full, so the change was not saved"), qPrintable(reported.errors[0]));
  QVERIFY(reported.parents.size() > 5);
  QCOMPARE(reported.chats_read_after, reported.chats.size());
  const QString lost = missing(folder.path(), reported);
  QVERIFY2(lost.isEmpty(), qPrintable(lost));
  // With room again, writing goes on where it stopped.
  auto store = HistoryStore::open(folder.path());
  QVERIFY(store);
  QVERIFY((*store)->create_chat("after").result());
  QCOMPARE(missing(folder.path(), reported), QString());
}

void HistorySurvivesTest::a_disk_that_is_full_from_the_start() {
  QTemporaryDir folder;
  {
    auto store = HistoryStore::open(folder.path());
    for (int i = 0; i < 3; ++i) QVERIFY((*store)->create_chat("kept").result());
  }
  QProcess process;
  process.setChildProcessModifier([] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  });
  process.start(writer(), {folder.path()});
  QVERIFY(process.waitForFinished(60000));
  Reported reported;
  reported.read(process.readAllStandardOutput());
  QCOMPARE(process.exitStatus(), QProcess::NormalExit);
  QCOMPARE(reported.errors.size(), 1);
  QVERIFY2(reported.errors[0].contains("full"), qPrintable(reported.errors[0]));
  QCOMPARE(reported.chats_read_after, 3);
  auto store = HistoryStore::open(folder.path());
  QVERIFY((*store)->create_chat("after").result());
  QCOMPARE((*store)->chats().size(), 4u);
}

// A file as the first release wrote it; it must open in every later one.
void HistorySurvivesTest::a_history_of_version_1_opens() {
  QTemporaryDir home;
  const QString folder = home.path();
  QVERIFY(QFile::copy(LAVA_SOURCE_DIR "/tests/fixtures/history/v1.sqlite", folder + "/history.sqlite"));
  QFile::setPermissions(folder + "/history.sqlite", QFile::ReadOwner | QFile::WriteOwner | QFile::ReadOther);
  auto store = std::move(*HistoryStore::open(folder));
  QVERIFY(!store->read_only());
  QCOMPARE(store->chats("mat").at(0).title, QString("Where is the cat?"));
  QCOMPARE(store->bin().at(0).title, QString("Was ist das für ein Löffel?"));
  const auto branch = store->branch(store->chats()[0].id);
  QCOMPARE(branch.size(), 2u);
  QCOMPARE(branch[0].attachments.at(0).name, QString("chelsea.png"));
  QCOMPARE(branch[1].boxes.size(), 2u);
  QVERIFY(store->rename_chat(store->chats()[0].id, "still writable").result());
  QVERIFY(!(QFile::permissions(folder + "/history.sqlite") & (QFile::ReadGroup | QFile::ReadOther)));  // chats are private
}

QTEST_GUILESS_MAIN(HistorySurvivesTest)
#include "tst_history_survives.moc"
