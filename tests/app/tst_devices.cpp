// Finding the devices of a computer and switching between them, with programs that play the engine's.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/device_finder.h"
#include "app/chat/chosen_engine.h"
#include "app/settings/preferences.h"
#include "tests/support/app/fake_server.h"

using namespace lava;
using namespace lava::app;

namespace {

using Found = FoundDevices::State;

QVariantMap row_of(const QVariantList& rows, const QString& choice) {
  for (const QVariant& row : rows)
    if (row.toMap().value("choice") == choice) return row.toMap();
  return {};
}

QStringList choices(const QVariantList& rows) {
  QStringList all;
  for (const QVariant& row : rows) all << row.toMap().value("choice").toString();
  return all;
}

std::vector<AskTurn> question(const QString& words) { return {AskTurn{Role::user, words, {}, {}}}; }

}  // namespace

class DevicesTest : public QObject {
  Q_OBJECT
  QTemporaryDir home_;

  QString program(const QByteArray& script) {
    const QString path = home_.filePath("engine-" + QString::number(QRandomGenerator::global()->generate64()));
    QFile file(path);
    if (!file.open(QFile::WriteOnly)) return {};
    file.write("#!/bin/sh\n" + script + "\n");
    file.close();
    file.setPermissions(file.permissions() | QFile::ExeOwner);
    return path;
  }
  QString settings() const { return home_.filePath("config/lavascope/settings.json"); }
  QByteArray read(const QString& path) const {
    QFile file(path);
    return file.open(QFile::ReadOnly) ? file.readAll() : QByteArray();
  }
  void write(const QByteArray& text) const {
    QDir().mkpath(QFileInfo(settings()).path());
    QFile file(settings());
    QVERIFY(file.open(QFile::WriteOnly));
    file.write(text);
  }

 private slots:
  void init() {
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qunsetenv("LAVA_FAKE");
    QDir(home_.filePath("config")).removeRecursively();
  }

  void rows_of_what_was_found() {
    const auto found = read_devices(R"({"devices":[{"choice":"cuda:0","name":"A"},{"choice":"cuda:1","name":"A","memory":24e9},{"choice":"cpu","name":"P"}],"absent":["No Vulkan."]})");
    QVERIFY(found);
    QCOMPARE(found->notes, QStringList());  // there is a card: what else is missing matters to nobody
    const QVariantList rows = device_rows(*found, "cpu");
    QCOMPARE(choices(rows), (QStringList{"auto", "cuda:0", "cuda:1", "cpu"}));
    QCOMPARE(row_of(rows, "cuda:0")["detail"].toString(), QString("CUDA 0"));
    QCOMPARE(row_of(rows, "cuda:1")["detail"].toString(), QString::fromUtf8("CUDA 1 · 24.0 GB"));
    QCOMPARE(row_of(rows, "cpu")["name"].toString(), QString("Processor"));
    QCOMPARE(row_of(device_rows(*found, "cuda"), "cuda")["detail"].toString(), QString("the best that it finds"));
    QCOMPARE(row_of(device_rows(*found, "cuda:7"), "cuda:7")["detail"].toString(), QString("not found on this computer"));
    QCOMPARE(choices(device_rows({}, "vulkan:0")), (QStringList{"auto", "vulkan:0", "cpu"}));
    QCOMPARE(row_of(device_rows({}, "vulkan:0"), "vulkan:0")["detail"].toString(), QString());  // nobody has looked
  }

  void software_alone_leaves_the_question_why() {
    const auto found = read_devices(R"({"devices":[{"choice":"vulkan:0","name":"L","software":true},{"choice":"cpu","name":"P"}],"problems":["X is old."],"absent":["No CUDA."]})");
    QCOMPARE(found->notes, (QStringList{"X is old.", "No CUDA."}));
  }

  void the_engines_own_list_is_understood() {
    DeviceFinder finder;
    finder.find(QCoreApplication::applicationDirPath() + "/lavascope-engine", 120000);
    QCOMPARE(finder.found().state, Found::looking);
    QTRY_COMPARE_WITH_TIMEOUT(finder.found().state, Found::known, 120000);
    QVERIFY(!row_of(device_rows(finder.found(), "cpu"), "cpu")["detail"].toString().isEmpty());
  }

  void a_finder_that_fails_says_why_data() {
    QTest::addColumn<QByteArray>("script");
    QTest::addColumn<QString>("said");
    QTest::newRow("code") << QByteArray("echo the driver is of cheese >&2; exit 3") << "code 3: the driver is of cheese";
    QTest::newRow("crash") << QByteArray("kill -SEGV $$") << "crashed";
    QTest::newRow("garbage") << QByteArray("echo '[1, 2'") << "cannot be read";
    QTest::newRow("no list") << QByteArray("echo '{}'") << "cannot be read";
    QTest::newRow("hangs") << QByteArray("exec sleep 600") << "not answered for 1 seconds";
  }

  void a_finder_that_fails_says_why() {
    QFETCH(QByteArray, script);
    QFETCH(QString, said);
    DeviceFinder finder;
    finder.find(program(script), script.contains("sleep") ? 900 : 60000);
    QTRY_COMPARE_WITH_TIMEOUT(finder.found().state, Found::failed, 60000);
    QCOMPARE(finder.found().notes.size(), 1);
    QVERIFY2(finder.found().notes[0].contains(said), qPrintable(finder.found().notes[0]));
    QVERIFY(row_of(device_rows(finder.found(), "cpu"), "cpu").contains("name"));
    finder.find(program(R"(echo '{"devices":[{"choice":"vulkan:0","name":"V"}]}')"), 60000);
    QTRY_COMPARE_WITH_TIMEOUT(finder.found().state, Found::known, 60000);
    QCOMPARE(finder.found().notes, QStringList());
  }

  void a_missing_program_is_told() {
    DeviceFinder finder;
    finder.find("/no/such/engine");
    QCOMPARE(finder.found().state, Found::failed);
    QVERIFY(finder.found().notes[0].contains("/no/such/engine"));
  }

  void the_choice_is_kept_with_what_else_is_there() {
    QCOMPARE(preferences::device(), QString());
    write(R"({"later": {"a": 1}, "device": "cpu"})");
    QVERIFY(preferences::set_device("vulkan:0"));
    QCOMPARE(preferences::device(), QString("vulkan:0"));
    QCOMPARE(QJsonDocument::fromJson(read(settings()))["later"]["a"].toInt(), 1);
  }

  void a_damaged_settings_file_is_put_aside() {
    write("{\"later\": ");
    QCOMPARE(preferences::device(), QString());
    QVERIFY(preferences::set_device("cpu"));
    QCOMPARE(preferences::device(), QString("cpu"));
    QCOMPARE(read(settings() + ".damaged"), QByteArray("{\"later\": "));
  }

  void a_word_that_is_no_device_is_none() {
    for (const char* word : {"gpu", "cuda:", "cuda:-1", "cpu:0", "--help"}) {
      write(QJsonDocument(QJsonObject{{"device", word}}).toJson());
      QCOMPARE(preferences::device(), QString());
    }
  }

  void settings_that_cannot_be_written_are_told() {
    QFile blocker(home_.filePath("config"));
    QVERIFY(blocker.open(QFile::WriteOnly));  // a file where the folder should be
    blocker.close();
    const auto kept = preferences::set_device("cpu");
    QFile::remove(home_.filePath("config"));
    QVERIFY(!kept);
    QVERIFY2(QString::fromStdString(kept.error().message()).contains("settings.json"), kept.error().message().c_str());
  }

  void switching_restarts_the_engine_and_keeps_the_choice() {
    MediaStore media(home_.filePath("media"));
    ChosenEngine engine(media);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QCOMPARE(engine.backend(), QString("Processor"));
    engine.use_device("vulkan:0");
    QVERIFY(engine.state() != EngineLink::State::ready);
    QCOMPARE(preferences::device(), QString("vulkan:0"));
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QCOMPARE(engine.backend(), QString("Vulkan"));
    QCOMPARE(engine.device(), QString("Fake of vulkan"));
    engine.use_device("cpu");
    engine.use_device("cuda:1");  // before the other has begun
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QCOMPARE(engine.backend(), QString("CUDA"));
    QCOMPARE(preferences::device(), QString("cuda:1"));
  }

  void an_answer_under_way_is_stopped_not_failed() {
    MediaStore media(home_.filePath("media"));
    ChosenEngine engine(media);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    Asking* asking = engine.ask(question("slow"), {}, this);
    QSignalSpy text(asking, &Asking::text), failed(asking, &Asking::failed), cancelled(asking, &Asking::cancelled);
    QTRY_VERIFY(!text.isEmpty());
    engine.use_device("vulkan:0");
    QTRY_COMPARE(cancelled.size(), 1);
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QCOMPARE(failed.size(), 0);
    QCOMPARE(cancelled.size(), 1);
    Asking* next = engine.ask(question("hello"), {}, this);
    QSignalSpy done(next, &Asking::done);
    QTRY_COMPARE(done.size(), 1);
  }

  void a_device_that_does_not_open_leaves_the_way_back() {
    qputenv("LAVA_FAKE", "only_cpu");
    MediaStore media(home_.filePath("media"));
    ChosenEngine engine(media);
    engine.start({.program = FakeServer::program(), .device = "vulkan:0"});
    QTRY_COMPARE(engine.state(), EngineLink::State::failed);
    QVERIFY(engine.device_missing() && !engine.model_missing());
    QCOMPARE(engine.backend(), QString());
    engine.use_device("vulkan:0");  // the same again is a try
    QCOMPARE(engine.state(), EngineLink::State::starting);
    QTRY_COMPARE(engine.state(), EngineLink::State::failed);
    engine.use_device("cpu");
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QVERIFY(!engine.device_missing());
    QCOMPARE(engine.backend(), QString("Processor"));
  }

  void a_choice_that_cannot_be_kept_holds_and_says_so() {
    MediaStore media(home_.filePath("media"));
    ChosenEngine engine(media);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), EngineLink::State::ready);
    QFile blocker(home_.filePath("config"));
    QVERIFY(blocker.open(QFile::WriteOnly));
    blocker.close();
    engine.use_device("vulkan:0");
    QFile::remove(home_.filePath("config"));
    QCOMPARE(engine.device_notes().size(), 1);
    QVERIFY(engine.device_notes()[0].startsWith("This holds until the window closes."));
    QTRY_COMPARE(engine.backend(), QString("Vulkan"));
  }
};

QTEST_GUILESS_MAIN(DevicesTest)
#include "tst_devices.moc"
