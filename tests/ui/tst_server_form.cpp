// The form for a server elsewhere in the popover of the engine's pill, and how the window speaks of one, with a server that really answers.
#include <QAccessible>
#include <QQmlEngine>
#include <QTest>

#include "app/chat/server_form.h"
#include "tests/support/app/fake_server.h"
#include "tests/support/ui/wait.h"
#include "tests/support/ui/window_fixture.h"
#include "ui/theme/theme.h"

using namespace lava;
using namespace lava::app;
using lava::test::cut_off;
using lava::test::wait;
using lava::test::WindowFixture;

namespace {

QString text(QQuickItem* item) { return item ? item->property("text").toString() : QString("(none)"); }

QString focused(const WindowFixture& f) {
  QQuickItem* item = f.window->activeFocusItem();
  return !item ? QString("(nothing)") : item->objectName() == "device_row" ? item->property("modelData").toMap().value("choice").toString() : item->objectName();
}

QQuickItem* server_row(const WindowFixture& f) {
  for (QQuickItem* row : f.find_all("device_row"))
    if (row->property("modelData").toMap().value("choice") == "server") return row;
  return nullptr;
}

bool open_form(WindowFixture& f) {
  f.click(f.wait_for("engine_pill"));
  if (!wait([&] { return server_row(f) != nullptr; })) return false;
  server_row(f)->forceActiveFocus();
  f.key(Qt::Key_Return);
  return f.wait_for("server_address") != nullptr;
}

void write(WindowFixture& f, const QString& field, const QString& words) {
  QQuickItem* item = f.find(field);
  item->forceActiveFocus();
  QMetaObject::invokeMethod(item, "selectAll");
  f.key(Qt::Key_Delete);
  f.type(words);
}

QString line_of(const WindowFixture& f) { return f.find("engine_pill")->property("line").toString(); }

QString spoken(QQuickItem* item) { return QAccessible::queryAccessibleInterface(item)->text(QAccessible::Name); }

}  // namespace

class TestServerForm : public QObject {
  Q_OBJECT

 private slots:
  void the_keyboard_alone_connects() {
    FakeServer server;
    WindowFixture f;
    for (int i = 0; i < 30 && focused(f) != "engine_pill"; ++i) f.key(Qt::Key_Tab);
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return focused(f) == "cpu"; }));
    f.key(Qt::Key_Down);
    QCOMPARE(focused(f), QString("server"));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return focused(f) == "server_address"; }));
    f.type(server.url().toString().mid(7));  // without http://
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("server_token"));
    f.type(FakeServer::token());
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("server_token_show"));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("server_connect"));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("server_cancel"));
    f.key(Qt::Key_Backtab);
    f.key(Qt::Key_Space);
    QVERIFY(wait([&] { return !f.engine.elsewhere.address.isEmpty(); }));
    QCOMPARE(f.engine.elsewhere.address, server.url());
    QCOMPARE(f.engine.elsewhere.token, FakeServer::token());
    QVERIFY(wait([&] { return !f.find("server_sheet") && focused(f) == "server"; }));
    QVERIFY(server_row(f)->property("current").toBool());
    QVERIFY(line_of(f).startsWith(f.engine.elsewhere.name()));
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return focused(f) == "engine_pill"; }));
    QCOMPARE(f.warnings, QStringList());
  }

  void trouble_stands_at_its_field_and_gets_the_keyboard() {
    FakeServer server;
    WindowFixture f;
    QVERIFY(open_form(f));
    f.key(Qt::Key_Return);
    QVERIFY(text(f.find("server_address_problem")).contains("nothing is written here"));
    write(f, "server_address", server.url().toString());
    write(f, "server_token", "wrong");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.find("server_token_problem") != nullptr; }));
    QVERIFY(!f.find("server_address_problem"));
    QVERIFY2(text(f.find("server_token_problem")).contains("does not take this token"), qPrintable(text(f.find("server_token_problem"))));
    QCOMPARE(focused(f), QString("server_token"));
    QVERIFY(QAccessible::queryAccessibleInterface(f.find("server_token"))->text(QAccessible::Description).contains("does not take"));
    write(f, "server_address", "http://127.0.0.1:1");
    f.key(Qt::Key_Enter);
    QVERIFY(wait([&] { return f.find("server_address_problem") && !f.find("server_token_problem"); }));
    QCOMPARE(focused(f), QString("server_address"));
    QVERIFY(f.engine.elsewhere.address.isEmpty());
    QCOMPARE(f.warnings, QStringList());
  }

  void escape_leaves_the_try_then_the_form_then_the_popover() {
    FakeServer deaf("mute");
    WindowFixture f;
    QVERIFY(open_form(f));
    write(f, "server_address", deaf.url().toString());
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return text(f.find("server_connect")).startsWith("Connecting"); }));
    f.key(Qt::Key_Escape);
    QCOMPARE(text(f.find("server_connect")), QString("Connect"));
    QCOMPARE(text(f.find("server_address")), deaf.url().toString());
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("server_sheet") && focused(f) == "server"; }));
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("device_row"); }));
    QCOMPARE(f.warnings, QStringList());
  }

  void a_token_is_hidden_until_asked_for() {
    WindowFixture f;
    QVERIFY(open_form(f));
    QQuickItem* field = f.find("server_token");
    write(f, "server_token", "secret");
    QVERIFY(field->property("displayText").toString() != "secret");
    f.click(f.find("server_token_show"));
    QCOMPARE(field->property("displayText").toString(), QString("secret"));
    QCOMPARE(spoken(f.find("server_token_show")), QString("Hide the token"));
    f.click(f.find("server_cancel"));
    QVERIFY(wait([&] { return !f.find("server_sheet"); }));
    f.click(server_row(f));
    QVERIFY(wait([&] { return f.find("server_token") != nullptr; }));
    QCOMPARE(text(f.find("server_token")), QString());  // what was not sent is not kept
    QVERIFY(f.find("server_token")->property("displayText").toString().isEmpty());
  }

  void the_last_server_is_offered_and_its_token_goes_nowhere_else() {
    WindowFixture f;
    f.engine.known = {QUrl("http://gpu:8080"), "secret"};
    emit f.engine.devices_changed();
    QVERIFY(open_form(f));
    QCOMPARE(server_row(f), nullptr);
    QCOMPARE(text(f.find("server_address")), QString("http://gpu:8080"));
    QCOMPARE(text(f.find("server_token")), QString("secret"));
    write(f, "server_address", "http://other:8080");
    QCOMPARE(text(f.find("server_token")), QString());
  }

  void what_is_not_encrypted_is_said() {
    WindowFixture f;
    QVERIFY(open_form(f));
    QVERIFY(!f.find("server_exposed"));
    write(f, "server_address", "gpu-server:8080");
    QVERIFY(f.find("server_exposed"));
    write(f, "server_address", "https://gpu-server");
    QVERIFY(!f.find("server_exposed"));
    write(f, "server_address", "http://127.0.0.1:8080");  // the end of a tunnel
    QVERIFY(!f.find("server_exposed"));
  }

  void a_lost_server_has_a_way_back_everywhere() {
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    QCOMPARE(line_of(f), QString::fromUtf8("gpu:8080 · Processor"));
    test::FakeAsking* asking = f.ask("hello");
    QVERIFY(asking);
    asking->say("Half an");
    f.engine.was_lost = true;
    f.engine.die({Error::Kind::io, "The connection to gpu:8080 is lost", "nothing answers", "Check the network"});
    asking->break_off({Error::Kind::io, "The engine stopped in the middle of the answer", "the connection was cut", "Ask again"});
    QVERIFY(f.wait_for("error_card"));
    QCOMPARE(f.stored().back().text, QString("Half an"));
    QCOMPARE(line_of(f), QString("Connection lost"));
    QCOMPARE(spoken(f.find("engine_pill")), QString("Engine: Connection lost, gpu:8080"));
    QCOMPARE(text(f.find("restart_engine")), QString("Connect again"));
    QCOMPARE(text(f.find("card_use_processor")), QString("Use this computer"));
    QVERIFY(text(f.find("composer_note")).contains("gpu:8080 cannot be reached"));
    f.click(f.find("engine_pill"));
    QVERIFY(f.wait_for("engine_restart"));
    QCOMPARE(text(f.find("engine_restart")), QString("Try again"));
    f.click(f.find("engine_restart"));
    QCOMPARE(f.engine.restarts, 1);
    f.engine.die({Error::Kind::io, "The connection to gpu:8080 is lost", "nothing answers", "Check the network"});
    f.click(f.find("use_processor"));
    QCOMPARE(f.engine.choice, QString("vulkan:0"));  // the device that was chosen here before
    QVERIFY(!f.engine.remote());
    QCOMPARE(f.warnings, QStringList());
  }

  void only_a_model_that_is_known_to_be_blind_is_said_to_be() {
    WindowFixture f;
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    f.engine.more_props = {{"vision", QJsonValue::Null}, {"grounding", QJsonValue::Null}, {"served_model", "someone/words-2.5"}};
    emit f.engine.changed();
    f.chat->composer()->add_files({QUrl::fromLocalFile(f.picture())});
    QVERIFY(wait([&] { return f.chat->composer()->draft().pictures.size() == 1; }));
    QVERIFY(!text(f.find("composer_note")).contains("words only"));
    QCOMPARE(line_of(f), QString("gpu:8080"));
    f.engine.more_props["vision"] = false;
    emit f.engine.changed();
    QCOMPARE(text(f.find("composer_note")), QString("words-2.5 reads words only: it cannot see pictures"));
  }

  void nothing_is_looked_at_ahead_on_other_servers() {
    WindowFixture f;
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    f.engine.more_props = {{"vision", true}, {"grounding", QJsonValue::Null}, {"served_model", "x"}};
    emit f.engine.changed();
    f.chat->composer()->add_files({QUrl::fromLocalFile(f.picture())});
    QVERIFY(wait([&] { return f.chat->composer()->draft().pictures.size() == 1; }));
    QTest::qWait(400);
    QVERIFY(f.engine.preparations.empty());
  }

  void nothing_is_cut_at_twice_the_size_data() {
    QTest::addColumn<QSize>("size");
    QTest::newRow("usual") << QSize(1180, 800);
    QTest::newRow("smallest") << QSize(480, 520);
  }

  void nothing_is_cut_at_twice_the_size() {
    QFETCH(QSize, size);
    WindowFixture f;
    auto* theme = qmlEngine(f.find("engine_pill"))->singletonInstance<ui::Theme*>(qmlTypeId("Lavascope", 1, 0, "Theme"));
    theme->set_text_scale(2);
    f.window->resize(size);
    if (!f.find("engine_pill")) f.key(Qt::Key_B, Qt::ControlModifier);
    QVERIFY(open_form(f));
    write(f, "server_address", "http://a-computer-with-a-very-long-name.of-a-large-institute.example:65535");
    write(f, "server_token", "two words");
    f.key(Qt::Key_Return);
    QVERIFY(f.find("server_token_problem") && f.find("server_exposed"));
    QQuickItem* popup = f.find("server_sheet");
    while (popup && !popup->inherits("QQuickPopupItem")) popup = popup->parentItem();
    QVERIFY(popup);
    const QRectF box = popup->mapRectToScene(QRectF(0, 0, popup->width(), popup->height()));
    QVERIFY(QRectF(0, 0, f.window->width(), f.window->height()).contains(box));
    QCOMPARE(cut_off(popup, box.right()), QString());
    for (const char* name : {"server_connect", "server_cancel"}) {
      QQuickItem* button = f.find(name);
      QVERIFY2(button && box.contains(button->mapRectToScene(QRectF(0, 0, button->width(), button->height()))), name);
    }
    theme->set_text_scale(1);
  }
};

QTEST_MAIN(TestServerForm)
#include "tst_server_form.moc"
