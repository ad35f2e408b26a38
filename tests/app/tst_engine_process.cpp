// The engine as a child: starting, loading, ending, and everything that can go wrong with it.
#include <signal.h>
#include <unistd.h>

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTemporaryFile>
#include <QtTest>

#include "app/engine/engine_client.h"
#include "app/engine/engine_log.h"
#include "app/engine/engine_process.h"
#include "tests/support/app/fake_server.h"

using namespace lava::app;
using State = EngineProcess::State;

namespace {
bool alive(qint64 pid) { return pid > 0 && ::kill(static_cast<pid_t>(pid), 0) == 0; }
EngineOptions options() { return {.program = FakeServer::program()}; }
QString text(const std::string& s) { return QString::fromStdString(s); }
}  // namespace

class EngineProcessTest : public QObject {
  Q_OBJECT
 private slots:
  void init() { qunsetenv("LAVA_FAKE"); }
  void it_gets_ready_and_answers();
  void loading_tells_how_far();
  void other_output_is_no_address();
  void failures_data();
  void failures();
  void missing_files_data();
  void missing_files();
  void a_crash_later_is_told_and_restart_helps();
  void a_lost_device_starts_it_again_but_not_for_ever();
  void stop_ends_it();
  void stop_kills_a_stubborn_one();
  void stop_while_loading();
  void the_destructor_leaves_nothing();
  void it_does_not_outlive_a_killed_window();
  void its_log_is_kept();
  void a_large_log_is_put_aside();
  void a_log_that_cannot_be_written_stops_nothing();
};

void EngineProcessTest::it_gets_ready_and_answers() {
  EngineProcess engine;
  QList<State> states;
  connect(&engine, &EngineProcess::state_changed, this, [&](State state) { states << state; });
  QCOMPARE(engine.state(), State::stopped);
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  QCOMPARE(states, (QList<State>{State::starting, State::loading, State::ready}));
  QCOMPARE(engine.props()["model"].toString(), QString("fake"));
  QCOMPARE(engine.progress(), 1.0);
  QCOMPARE(engine.token().size(), 64);
  QVERIFY(alive(engine.pid()));
  QVERIFY(::getpgid(static_cast<pid_t>(engine.pid())) != ::getpgid(0));  // Ctrl-C of a terminal does not reach it
  Question question(engine.url(), engine.token(), {TurnContent{Role::user, "hello"}}, {});
  QSignalSpy done(&question, &Question::done);
  QVERIFY(done.wait());
}

void EngineProcessTest::loading_tells_how_far() {
  qputenv("LAVA_FAKE", "slow_load");
  EngineProcess engine;
  std::vector<double> seen;
  QString phase;
  connect(&engine, &EngineProcess::progress_changed, this, [&](double progress, const QString& name) {
    seen.push_back(progress);
    if (progress < 1) phase = name;
  });
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  QVERIFY(seen.size() >= 4);
  QVERIFY(std::is_sorted(seen.begin(), seen.end()));
  QVERIFY(seen.front() < 0.9);
  QCOMPARE(phase, QString("Loading model"));
}

void EngineProcessTest::other_output_is_no_address() {
  qputenv("LAVA_FAKE", "garbage");
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
}

void EngineProcessTest::failures_data() {
  QTest::addColumn<QString>("what");
  QTest::addColumn<QString>("cause");
  QTest::newRow("crash_start") << "The engine stopped while it was starting"
                               << "the model is made of cheese";
  QTest::newRow("crash_loading") << "The engine stopped while it was starting"
                                 << "code 7";
  QTest::newRow("load_error") << "The model file ends early"
                              << "tensor x";
  QTest::newRow("silent") << "The engine does not start"
                          << "2 seconds";
  QTest::newRow("mute") << "The engine does not answer"
                        << "2 seconds";
}

void EngineProcessTest::failures() {
  QFETCH(QString, what);
  QFETCH(QString, cause);
  qputenv("LAVA_FAKE", QTest::currentDataTag());
  EngineProcess engine;
  QSignalSpy states(&engine, &EngineProcess::state_changed);
  EngineOptions o = options();
  o.patience_ms = 2000;
  engine.start(o);
  QTRY_COMPARE_WITH_TIMEOUT(engine.state(), State::failed, 8000);
  QCOMPARE(text(engine.error().what), what);
  QVERIFY2(text(engine.error().cause).contains(cause), engine.error().cause.c_str());
  QVERIFY(!engine.error().remedy.empty());
  QCOMPARE(engine.pid(), 0);
  const int changes = states.count();
  QTest::qWait(400);
  QCOMPARE(states.count(), changes);  // said once
}

void EngineProcessTest::missing_files_data() {
  QTest::addColumn<QString>("program");
  QTest::addColumn<QString>("model");
  QTest::addColumn<QString>("mmproj");
  QTest::addColumn<QString>("named");
  QTest::newRow("program") << "/no/such/engine"
                           << "default"
                           << ""
                           << "/no/such/engine";
  QTest::newRow("program in PATH") << "no-such-engine-anywhere"
                                   << "default"
                                   << ""
                                   << "no-such-engine-anywhere";
  QTest::newRow("model") << FakeServer::program() << "/no/such/model.gguf"
                         << ""
                         << "/no/such/model.gguf";
  QTest::newRow("projector") << FakeServer::program() << "default"
                             << "/no/mmproj.gguf"
                             << "/no/mmproj.gguf";
  QTest::newRow("a text file") << QString(LAVA_SOURCE_DIR "/docs/api.md") << "default"
                               << ""
                               << "api.md";
}

void EngineProcessTest::missing_files() {
  QFETCH(QString, program);
  QFETCH(QString, model);
  QFETCH(QString, mmproj);
  QFETCH(QString, named);
  EngineProcess engine;
  EngineOptions o;
  o.program = program;
  o.model = model;
  o.mmproj = mmproj;
  engine.start(o);
  QCOMPARE(engine.state(), State::failed);
  QVERIFY2(text(engine.error().message()).contains(named), engine.error().message().c_str());
  QCOMPARE(engine.pid(), 0);
}

void EngineProcessTest::a_lost_device_starts_it_again_but_not_for_ever() {
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  for (int loss = 0; loss < 3; ++loss) {
    const QString token = engine.token();
    Question question(engine.url(), token, {TurnContent{Role::user, "device"}}, {});
    QSignalSpy failed(&question, &Question::failed);
    QTRY_COMPARE(failed.count(), 1);
    QCOMPARE(failed[0][0].value<lava::Error>().kind, lava::Error::Kind::device_lost);
    if (loss < 2) QTRY_VERIFY(engine.token() != token && engine.state() == State::ready);
  }
  QTRY_COMPARE(engine.state(), State::failed);
  QCOMPARE(engine.error().kind, lava::Error::Kind::device_lost);
  engine.restart();
  QTRY_COMPARE(engine.state(), State::ready);
}

void EngineProcessTest::a_crash_later_is_told_and_restart_helps() {
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  const QString first_token = engine.token();
  Question question(engine.url(), engine.token(), {TurnContent{Role::user, "crash"}}, {});
  QSignalSpy failed(&question, &Question::failed);
  QTRY_COMPARE(engine.state(), State::failed);
  QCOMPARE(text(engine.error().what), QString("The engine stopped"));
  QVERIFY(text(engine.error().cause).contains("out of luck"));
  QTRY_COMPARE(failed.count(), 1);
  engine.restart();
  QTRY_COMPARE(engine.state(), State::ready);
  QVERIFY(engine.token() != first_token);
  QVERIFY(engine.error().what.empty());
  Question again(engine.url(), engine.token(), {TurnContent{Role::user, "hello"}}, {});
  QSignalSpy done(&again, &Question::done);
  QVERIFY(done.wait());
}

void EngineProcessTest::stop_ends_it() {
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  const qint64 pid = engine.pid();
  engine.stop();
  QCOMPARE(engine.state(), State::stopped);
  QTRY_VERIFY_WITH_TIMEOUT(!alive(pid), 1000);
  QTest::qWait(100);
  QCOMPARE(engine.state(), State::stopped);
}

void EngineProcessTest::stop_kills_a_stubborn_one() {
  qputenv("LAVA_FAKE", "stubborn");
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::ready);
  const qint64 pid = engine.pid();
  engine.stop();
  QTRY_VERIFY_WITH_TIMEOUT(!alive(pid), 4000);
}

void EngineProcessTest::stop_while_loading() {
  qputenv("LAVA_FAKE", "slow_load");
  EngineProcess engine;
  engine.start(options());
  QTRY_COMPARE(engine.state(), State::loading);
  const qint64 pid = engine.pid();
  engine.stop();
  QTRY_VERIFY(!alive(pid));
  engine.start(options());
  engine.start(options());  // a second start replaces the first
  QTRY_COMPARE(engine.state(), State::ready);
}

void EngineProcessTest::the_destructor_leaves_nothing() {
  for (const char* fake : {"", "stubborn"}) {
    qputenv("LAVA_FAKE", fake);
    qint64 pid = 0;
    {
      EngineProcess engine;
      engine.start(options());
      QTRY_COMPARE(engine.state(), State::ready);
      pid = engine.pid();
    }
    QVERIFY(!alive(pid));
  }
}

void EngineProcessTest::it_does_not_outlive_a_killed_window() {
  QProcess holder;
  holder.start(QCoreApplication::applicationDirPath() + "/engine_holder", QStringList{});
  QVERIFY(holder.waitForReadyRead(10000));
  const qint64 pid = holder.readLine().trimmed().toLongLong();
  QVERIFY(alive(pid));
  holder.kill();
  QVERIFY(holder.waitForFinished());
  // Without a parent it may stay as a zombie where nobody reaps; a process that still runs has a memory map.
  QTRY_VERIFY_WITH_TIMEOUT(!alive(pid) || QFile("/proc/" + QString::number(pid) + "/exe").symLinkTarget().isEmpty(), 3000);
}

void EngineProcessTest::its_log_is_kept() {
  QTemporaryDir folder;
  EngineOptions o = options();
  o.log_file = folder.filePath("state/engine.log");
  const auto log = [&] {
    QFile file(o.log_file);
    return file.open(QFile::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
  };
  qputenv("LAVA_FAKE", "crash_start");
  EngineProcess engine;
  engine.start(o);
  QTRY_COMPARE(engine.state(), State::failed);
  QVERIFY2(log().contains("fake engine: the model is made of cheese") && log().contains("The engine stopped while it was starting"), qPrintable(log()));
  qunsetenv("LAVA_FAKE");
  engine.restart();
  QTRY_COMPARE(engine.state(), State::ready);
  QVERIFY(log().contains("made of cheese"));  // of the run before
  QVERIFY2(log().contains("serve --model default") && log().contains("The model is loaded; what computes: Fake of cpu"), qPrintable(log()));
  QVERIFY(!log().contains(engine.token()));
  QCOMPARE(QFile::permissions(o.log_file) & (QFile::ReadGroup | QFile::ReadOther), QFile::Permissions());
  engine.stop();
  QVERIFY(log().trimmed().endsWith("The window ends it"));
}

void EngineProcessTest::a_large_log_is_put_aside() {
  QTemporaryDir folder;
  const QString name = folder.filePath("engine.log");
  const auto size = [](const QString& file) { return QFileInfo(file).size(); };
  EngineLog log;
  log.begin(name, "first run");
  for (int i = 0; i < 600; ++i) log.line(QString(10000, 'x'));
  const qint64 first = size(name);
  QVERIFY(first > (4 << 20) && first < (5 << 20));  // 6 MB were written
  log.begin(name, "second run");
  QCOMPARE(size(name + ".1"), first);
  QVERIFY(size(name) < 100);
  log.begin(name, "third run");
  QVERIFY(size(name) < 200 && size(name + ".1") == first);
}

void EngineProcessTest::a_log_that_cannot_be_written_stops_nothing() {
  QTemporaryDir folder;
  QFile blocker(folder.filePath("state"));
  QVERIFY(blocker.open(QFile::WriteOnly));
  EngineOptions o = options();
  o.log_file = folder.filePath("state/engine.log");
  EngineProcess engine;
  engine.start(o);
  QTRY_COMPARE(engine.state(), State::ready);
}

QTEST_GUILESS_MAIN(EngineProcessTest)
#include "tst_engine_process.moc"
