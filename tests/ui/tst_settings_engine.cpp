// The engine in the settings page: the same pieces as in the popover of the pill, and what that lacks.
#include <QClipboard>
#include <QGuiApplication>
#include <QTest>

#include "tests/support/app/fake_server.h"
#include "tests/support/ui/settings_rows.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using namespace lava::test;

class TestSettingsEngine : public QObject {
  Q_OBJECT
  QTemporaryDir home_;

 private slots:
  void initTestCase() { live_in(home_.path()); }

  void what_has_the_keyboard_is_in_sight() {
    WindowFixture f;
    f.window->resize(760, 520);
    f.engine.find(two_devices);
    QVERIFY(open_settings(f, "engine"));
    QQuickItem* body = f.find("settings_body");
    const QRectF sight = body->mapRectToScene(QRectF(0, 0, body->width(), body->height()));
    int stops = 0;
    for (f.find("category_engine")->forceActiveFocus(), f.key(Qt::Key_Tab); inside(f.window->activeFocusItem(), body) && stops < 40; f.key(Qt::Key_Tab), ++stops) {
      QQuickItem* item = f.window->activeFocusItem();
      const QRectF place = item->mapRectToScene(QRectF(0, 0, item->width(), item->height()));
      QVERIFY2(sight.contains(place), qPrintable(item->objectName()));
    }
    QVERIFY(stops >= 6);  // devices, details, restart, unload, look again, check again
    QVERIFY(body->property("contentY").toReal() > 0);
  }

  void devices_are_switched_as_in_the_popover() {
    WindowFixture f;
    f.engine.choice = "auto";
    f.engine.find(two_devices);
    QVERIFY(open_settings(f, "engine"));
    QVERIFY(wait([&] { return f.engine.searches == 1; }));
    QQuickItem* devices = row(f, "Computes on");
    QVERIFY(devices && !in(f, devices, "changed_dot"));
    QCOMPARE(f.find_all("device_row").size(), 5);
    QVERIFY(f.find("memory_line"));
    f.click(row_of(f, "cuda:0"));
    QCOMPARE(f.engine.choice, QString("cuda:0"));
    QCOMPARE(text(f.find("engine_state")), QString("Starting engine"));
    QVERIFY(in(f, devices, "changed_dot"));
    row_of(f, "cuda:0")->forceActiveFocus(Qt::TabFocusReason);
    f.engine.find(two_devices);  // rows are made anew under the keyboard
    QVERIFY(wait([&] { return focused(f) == "cuda:0"; }));
    f.key(Qt::Key_Down);
    f.key(Qt::Key_Space);
    QCOMPARE(f.engine.choice, QString("vulkan:0"));
    f.click(in(f, devices, "reset"));
    QCOMPARE(f.engine.choice, QString("auto"));
    QVERIFY(!in(f, devices, "changed_dot"));
    f.click(f.find("look_again"));
    QCOMPARE(f.engine.searches, 2);
    f.click(f.find("check_again"));
    QCOMPARE(f.engine.checks, 1);
    QVERIFY(wait([&] { return words_in(f.window->contentItem()).contains("checks the card and starts again"); }));
    QCOMPARE(f.warnings, QStringList());
  }

  void the_memory_is_given_back_here_too() {
    WindowFixture f;
    QVERIFY(open_settings(f, "engine"));
    f.click(f.find("engine_unload"));
    QVERIFY(f.engine.was_unloaded && !f.find("memory_line"));
    QCOMPARE(text(f.find("engine_state")), QString("Model unloaded"));
    f.click(f.find("engine_load"));
    QVERIFY(!f.engine.was_unloaded);
  }

  void a_server_is_found_from_here() {
    FakeServer server;
    WindowFixture f;
    QVERIFY(open_settings(f, "engine"));
    f.click(row_of(f, "server"));
    QVERIFY(f.wait_for("server_address") && !f.find("device_row"));
    f.key(Qt::Key_Escape);  // the form, not the page
    QVERIFY(wait([&] { return !f.find("server_sheet") && f.find("settings_engine") && focused(f) == "server"; }));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return focused(f) == "server_address"; }));
    f.key(Qt::Key_A, Qt::ControlModifier);
    f.type(server.url().toString());
    f.key(Qt::Key_Tab);
    f.type(FakeServer::token());
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.remote(); }));
    QCOMPARE(f.engine.elsewhere.address, server.url());
    QVERIFY(wait([&] { return !f.find("server_sheet") && focused(f) == "server"; }));
    QVERIFY(words_in(row_of(f, "server")).contains(f.engine.elsewhere.name()));
    QVERIFY(!f.find("engine_unload"));
    QCOMPARE(f.warnings, QStringList());
  }

  void leaving_the_page_leaves_the_form() {
    WindowFixture f;
    QVERIFY(open_settings(f, "engine"));
    f.click(row_of(f, "server"));
    QVERIFY(f.wait_for("server_address"));
    f.click(f.find("category_about"));
    f.click(f.find("category_engine"));
    QVERIFY(f.find("device_row") && !f.find("server_sheet"));
    f.click(row_of(f, "server"));
    f.key(Qt::Key_N, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.find("composer_field") && f.find("composer_field")->hasActiveFocus(); }));
    QVERIFY(open_popover(f));
    QVERIFY(!f.find("server_sheet"));
  }

  void the_log_is_named() {
    WindowFixture f;
    QVERIFY(open_settings(f, "engine"));
    QVERIFY(!row(f, "Engine's log"));  // none is kept
    f.engine.log = f.folder.filePath("engine.log");
    emit f.engine.changed();
    QVERIFY(row(f, "Engine's log") && words_in(row(f, "Engine's log")).contains(f.engine.log));
    f.find("copy_log_path")->forceActiveFocus();
    f.key(Qt::Key_Space);
    QCOMPARE(QGuiApplication::clipboard()->text(), f.engine.log);
    f.find("open_log")->forceActiveFocus();
    f.key(Qt::Key_Space);
    QVERIFY(wait([&] { return words_in(f.window->contentItem()).contains("There is no log yet"); }));
  }
};

QTEST_MAIN(TestSettingsEngine)
#include "tst_settings_engine.moc"
