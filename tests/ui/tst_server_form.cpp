// The form for a server elsewhere in the popover of the engine's pill, and how the window speaks of one, with a server that really answers.
#include <QAccessible>
#include <QTest>

#include "app/chat/server_form.h"
#include "tests/support/app/fake_server.h"
#include "tests/support/ui/engine_rows.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using namespace lava::test;

namespace {

QQuickItem* server_row(const WindowFixture& f) { return row_of(f, "server"); }

bool open_form(WindowFixture& f) {
  if (!open_popover(f) || !server_row(f)) return false;
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

}  // namespace

class TestServerForm : public QObject {
  Q_OBJECT

 private slots:
  void the_keyboard_alone_connects() {
    FakeServer server;
    WindowFixture f;
    QVERIFY(tab_to(f, "engine_pill"));
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
    QVERIFY(wait([&] { return f.stored().back().text == "Half an"; }));
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
    f.next_frame();
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

  void one_of_several_models_is_chosen() {
    WindowFixture f;
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    f.engine.more_props = {{"vision", true}, {"grounding", QJsonValue::Null}, {"served_model", "a/sees"},
                           {"served_models", QJsonArray{QJsonObject{{"id", "a/sees"}, {"vision", true}}, QJsonObject{{"id", "b/words"}, {"vision", false}}, QJsonObject{{"id", "c/silent"}}}}};
    emit f.engine.changed();
    QVERIFY(open_popover(f));
    QCOMPARE(text(f.find("served_fold")), QString("Model: a/sees"));
    QVERIFY(!f.find("served_row"));
    QVERIFY(tab_to(f, "served_fold"));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.find_all("served_row").size() == 4; }));  // with Automatic
    QVERIFY(!f.find("served_search"));                                    // so few are looked through
    QVERIFY(wait([&] { return f.window->activeFocusItem() == row_of(f, "", "served_row"); }));
    f.key(Qt::Key_Down);
    f.key(Qt::Key_Down);
    QCOMPARE(spoken(f.window->activeFocusItem()), QString("b/words, Reads words only"));
    QCOMPARE(f.engine.elsewhere.model, QString());  // walking chooses nothing
    f.key(Qt::Key_Space);
    QCOMPARE(f.engine.elsewhere.model, QString("b/words"));
    QVERIFY(row_of(f, "b/words", "served_row")->property("current").toBool() && !row_of(f, "", "served_row")->property("current").toBool());
    QCOMPARE(text(f.find("served_fold")), QString("Model: b/words"));
    QCOMPARE(f.warnings, QStringList());
  }

  void many_models_are_searched() {
    WindowFixture f;
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    QJsonArray models;
    for (int i = 0; i < 120; ++i) models << QJsonObject{{"id", QString("house/model-%1").arg(i)}};
    f.engine.more_props = {{"served_model", "house/model-0"}, {"served_models", models}, {"grounding", QJsonValue::Null}};
    emit f.engine.changed();
    QVERIFY(open_popover(f));
    f.click(f.find("served_fold"));
    QVERIFY(wait([&] { return focused(f) == "served_search"; }));
    QCOMPARE(f.find_all("served_row").size(), 50);
    QVERIFY(text(f.find("served_note")).contains("more"));
    f.type("MODEL-11");
    QCOMPARE(f.find_all("served_row").size(), 11);  // 11, 110 to 119
    QVERIFY(!f.find("served_note"));
    f.next_frame();
    f.click(row_of(f, "house/model-117", "served_row"));
    QCOMPARE(f.engine.elsewhere.model, QString("house/model-117"));
    f.find("served_search")->forceActiveFocus();
    f.type("x");
    QVERIFY(text(f.find("served_note")).contains("No model"));
    f.key(Qt::Key_Escape);  // the search first
    QVERIFY(f.find("served_row"));
  }

  void nothing_is_cut_at_twice_the_size_data() { sizes_for_fitting(); }

  void nothing_is_cut_at_twice_the_size() {
    WindowFixture f;
    at_twice_the_size(f, [&] {
      QVERIFY(open_form(f));
      write(f, "server_address", "http://a-computer-with-a-very-long-name.of-a-large-institute.example:65535");
      write(f, "server_token", "two words");
      f.key(Qt::Key_Return);
      QVERIFY(f.find("server_token_problem") && f.find("server_exposed"));
      QCOMPARE(misfit(f, f.find("server_sheet"), {"server_connect", "server_cancel"}), QString());
    });
  }
};

QTEST_MAIN(TestServerForm)
#include "tst_server_form.moc"
