// What the settings page shows: search, what lies where and how large it is, and the licences of parts.
#include <sys/stat.h>

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/settings/about.h"
#include "app/settings/finding.h"
#include "app/settings/storage.h"
#include "engine/io/folder_lock.h"

using namespace lava;
using namespace lava::app;

class SettingsTest : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> home_;

  void put(const QString& name, qint64 bytes) const {
    QDir().mkpath(QFileInfo(home_->filePath(name)).path());
    QFile file(home_->filePath(name));
    QVERIFY(file.open(QFile::WriteOnly) && file.resize(bytes));
  }
  bool has(const QString& name) const { return QFile::exists(home_->filePath(name)); }
  static QVariantMap place(const Storage& storage, const QString& key) {
    for (const QVariant& one : storage.places())
      if (one.toMap()["key"] == key) return one.toMap();
    return {};
  }
  static double bytes(const Storage& storage, const QString& key) { return place(storage, key)["bytes"].toDouble(); }

 private slots:
  void init() {
    home_ = std::make_unique<QTemporaryDir>();
    for (const char* name : {"DATA", "CONFIG", "CACHE", "STATE"}) qputenv(qPrintable(QString("XDG_%1_HOME").arg(name)), home_->filePath(QString(name).toLower()).toUtf8());
    qunsetenv("LAVASCOPE_MODELS");
    qunsetenv("LAVASCOPE_CACHE");
  }

  void every_word_must_be_there() {
    QVERIFY(finds("", "anything"));
    QVERIFY(finds("  ", "anything"));
    QVERIFY(finds("TEXT size", "Size of the text"));
    QVERIFY(finds("ä", "Länge"));
    QVERIFY(!finds("text colour", "Size of the text"));
  }

  void words_are_marked_and_nothing_is_markup() {
    QCOMPARE(marked("x", "a\nb", "#1", "#2"), QString("a<br>b"));
    QCOMPARE(marked("", "a < b", "#1", "#2"), QString("a &lt; b"));
    QCOMPARE(marked("b", "a < B & b", "#1", "#2"), QString("a &lt; <span style=\"color:#1;background-color:#2\">B</span> &amp; <span style=\"color:#1;background-color:#2\">b</span>"));
    QCOMPARE(marked("ab bc", "xabcx", "#1", "#2"), QString("x<span style=\"color:#1;background-color:#2\">abc</span>x"));  // one mark, not two
    QCOMPARE(marked("aa", "aaa", "#1", "#2"), QString("<span style=\"color:#1;background-color:#2\">aaa</span>"));
  }

  void sizes_are_counted_each_once() {
    put("data/lavascope/history.sqlite", 5000);
    put("data/lavascope/backups/history-day-1.sqlite", 2000);
    put("data/lavascope/media/ab/cd.png", 30000);
    put("data/lavascope/models/big.gguf", 4000000);
    put("cache/lavascope/weights/x.pack", 600000);
    put("cache/lavascope/devices/y.verdict", 70);
    put("cache/lavascope/vulkan/pipelines", 800);
    put("state/lavascope/engine.log", 9);
    QFile::link(home_->filePath("data/lavascope/models/big.gguf"), home_->filePath("data/lavascope/models/link.gguf"));
    QFile::link(home_->filePath("data/lavascope"), home_->filePath("data/lavascope/models/round"));
    Storage storage;
    QCOMPARE(place(storage, "media")["text"].toString(), QString());  // nobody has counted
    storage.count();
    QVERIFY(storage.busy());
    QTRY_VERIFY(!storage.busy());
    QCOMPARE(bytes(storage, "history"), 7000.0);
    QCOMPARE(bytes(storage, "media"), 30000.0);
    QCOMPARE(bytes(storage, "models"), 4000000.0);
    QCOMPARE(bytes(storage, "packs"), 600000.0);
    QCOMPARE(bytes(storage, "checks"), 70.0);
    QCOMPARE(bytes(storage, "cache"), 800.0);
    QCOMPARE(bytes(storage, "state"), 9.0);
    QCOMPARE(storage.bytes(), 4637879.0);
    QCOMPARE(storage.text(), QString("4 MB"));
    QCOMPARE(place(storage, "media")["text"].toString(), QString("30 kB"));
    QCOMPARE(place(storage, "packs")["path"].toString(), home_->filePath("cache/lavascope/weights"));
  }

  void what_is_not_there_is_empty() {
    Storage storage;
    storage.count();
    QTRY_VERIFY(!storage.busy());
    QCOMPARE(storage.bytes(), 0.0);
    QCOMPARE(place(storage, "models")["text"].toString(), QString("0 kB"));
    QVERIFY(!has("data") && !has("cache"));  // looking makes nothing
  }

  void packs_that_are_switched_off_have_no_row() {
    qputenv("LAVASCOPE_CACHE", "off");
    QVERIFY(place(Storage(), "packs").isEmpty());
  }

  void packed_weights_are_cleared() {
    put("cache/lavascope/weights/a.pack", 1000);
    put("cache/lavascope/weights/a.checked", 10);
    put("cache/lavascope/weights/1-2.source", 10);
    put("cache/lavascope/weights/mine.txt", 10);
    put("cache/lavascope/vulkan/pipelines", 10);
    Storage storage;
    QSignalSpy problem(&storage, &Storage::problem);
    storage.clear("packs");
    QTRY_VERIFY(!storage.busy() && !has("cache/lavascope/weights/a.pack"));
    QVERIFY(!has("cache/lavascope/weights/a.checked") && !has("cache/lavascope/weights/1-2.source"));
    QVERIFY(has("cache/lavascope/weights/mine.txt") && has("cache/lavascope/vulkan/pipelines"));
    QVERIFY(problem.isEmpty());
    QCOMPARE(bytes(storage, "packs"), 10.0);  // counted again
  }

  void packs_that_are_being_written_stay() {
    put("cache/lavascope/weights/a.pack", 1000);
    const auto lock = io::lock_folder(home_->filePath("cache/lavascope/weights").toStdString());
    QVERIFY(lock);
    Storage storage;
    QSignalSpy problem(&storage, &Storage::problem);
    storage.clear("packs");
    QTRY_COMPARE(problem.size(), 1);
    QCOMPARE(problem[0][0].toString(), QString("Packed weights are being written"));
    QVERIFY(!problem[0][2].toString().isEmpty() && has("cache/lavascope/weights/a.pack"));
  }

  void checks_are_cleared_and_nothing_else_can_be() {
    put("cache/lavascope/devices/a.verdict", 10);
    put("data/lavascope/history.sqlite", 10);
    put("data/lavascope/media/a.png", 10);
    Storage storage;
    for (const char* key : {"history", "media", "models", "cache", "state", "nonsense", ""}) storage.clear(key);
    QVERIFY(!storage.busy());
    storage.clear("checks");
    QTRY_VERIFY(!storage.busy() && !has("cache/lavascope/devices/a.verdict"));
    QVERIFY(has("data/lavascope/history.sqlite") && has("data/lavascope/media/a.png"));
  }

  void counting_ends_with_what_counts() {
    for (int i = 0; i < 200; ++i) put(QString("data/lavascope/media/%1").arg(i), 1);
    std::atomic<bool> stop = true;
    QCOMPARE(bytes_below(home_->filePath("data"), {}, stop), 0);
    auto storage = std::make_unique<Storage>();
    storage->count();
    storage.reset();  // does not wait for the rest, and nothing comes back
    QCoreApplication::processEvents();
  }

  void licences_are_read_from_tables() {
    const QVariantList rows = licences("# Parts\n\n| what | where | licence |\n|---|---|---|\n| A, b | `x/` | MIT (`x/LICENSE`) |\n| broken |\n| B | y | BSD |\n\n| later | z | no |\n", 0, 2);
    QCOMPARE(rows.size(), 2);
    QCOMPARE(rows[0].toMap()["name"].toString(), QString("A, b"));
    QCOMPARE(rows[0].toMap()["value"].toString(), QString("MIT (x/LICENSE)"));
    QCOMPARE(rows[1].toMap()["value"].toString(), QString("BSD"));
    QVERIFY(licences("no table", 0, 1).isEmpty());
  }
};

QTEST_GUILESS_MAIN(SettingsTest)
#include "tst_settings.moc"
