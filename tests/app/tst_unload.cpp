// The engine of this computer gives its memory back, and takes it again with the next question; and cards are checked anew.
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/chat/chosen_engine.h"
#include "engine/devices/verdicts.h"
#include "engine/core/user_folders.h"
#include "tests/support/app/children.h"
#include "tests/support/app/fake_server.h"

using namespace lava;
using namespace lava::app;
using State = EngineLink::State;

class UnloadTest : public QObject {
  Q_OBJECT
  QTemporaryDir home_;
  MediaStore media_{home_.filePath("media")};

  static std::vector<AskTurn> question(const QString& words) { return {AskTurn{Role::user, words, {}, {}}}; }

 private slots:
  void init() {
    qputenv("XDG_CONFIG_HOME", home_.filePath("config").toUtf8());
    qputenv("XDG_CACHE_HOME", home_.filePath("cache").toUtf8());
    qunsetenv("LAVA_FAKE");
  }

  void the_process_ends_and_comes_back() {
    ChosenEngine engine(media_);
    QVERIFY(!engine.can_unload());  // nothing runs yet
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY(engine.can_unload() && !engine.unloaded());
    QCOMPARE(programs(), 1);
    QSignalSpy changed(&engine, &EngineLink::changed);
    engine.unload();
    QVERIFY(engine.unloaded() && !engine.can_unload());
    QCOMPARE(engine.state(), State::stopped);
    QVERIFY(!changed.isEmpty());
    QVERIFY(engine.memory().isEmpty() && engine.props().isEmpty());
    QTRY_COMPARE(programs(), 0);
    engine.load();
    QVERIFY(!engine.unloaded());
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(programs(), 1);
    engine.load();  // it is
    QCOMPARE(engine.state(), State::ready);
  }

  void an_answer_under_way_is_stopped() {
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::ready);
    Asking* asking = engine.ask(question("slow"), {}, this);
    QSignalSpy text(asking, &Asking::text), failed(asking, &Asking::failed), cancelled(asking, &Asking::cancelled);
    QTRY_VERIFY(!text.isEmpty());
    engine.unload();
    QTRY_COMPARE(cancelled.size(), 1);
    QTRY_COMPARE(programs(), 0);
    QCOMPARE(failed.size(), 0);
  }

  void loading_can_be_given_up() {
    qputenv("LAVA_FAKE", "slow_load");
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::loading);
    engine.unload();
    QTRY_COMPARE(programs(), 0);
    QVERIFY(engine.unloaded());
    engine.use_device("vulkan:0");  // another choice loads
    QVERIFY(!engine.unloaded());
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(engine.backend(), QString("Vulkan"));
  }

  void it_loads_at_once_while_the_old_process_still_leaves() {
    qputenv("LAVA_FAKE", "stubborn");
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()});
    QTRY_COMPARE(engine.state(), State::ready);
    engine.unload();
    engine.load();
    QCOMPARE(engine.state(), State::starting);
    QCOMPARE(programs(), 1);  // never two: they would share a device's memory
    QTRY_COMPARE(engine.state(), State::ready);
    QCOMPARE(programs(), 1);
  }

  void a_server_elsewhere_has_nothing_to_unload() {
    FakeServer server;
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program()}, {server.url(), FakeServer::token()});
    QTRY_COMPARE(engine.state(), State::ready);
    QVERIFY(!engine.can_unload());
    engine.unload();
    QCOMPARE(engine.state(), State::ready);
    QVERIFY(!engine.unloaded());
  }

  void cards_are_checked_anew() {
    QVERIFY(write_verdict(device_verdict_folder(), "a card", {false, "It was wrong."}));
    ChosenEngine engine(media_);
    engine.start({.program = FakeServer::program(), .device = "cpu"});
    QTRY_COMPARE(engine.state(), State::ready);
    engine.check_devices_again();
    QVERIFY(!find_verdict(device_verdict_folder(), "a card"));
    QCOMPARE(engine.state(), State::ready);  // the processor was named: nothing to check
    engine.use_device("auto");
    QTRY_COMPARE(engine.state(), State::ready);
    engine.check_devices_again();
    QCOMPARE(engine.state(), State::starting);
    QTRY_COMPARE(engine.state(), State::ready);
  }
};

QTEST_GUILESS_MAIN(UnloadTest)
#include "tst_unload.moc"
