// The pill at the foot of the sidebar and what it opens: the device that computes, and the switch to another.
#include <QAccessible>
#include <QQmlEngine>
#include <QTest>

#include "tests/support/ui/wait.h"
#include "tests/support/ui/window_fixture.h"
#include "ui/theme/theme.h"

using namespace lava;
using namespace lava::app;
using lava::test::cut_off;
using lava::test::wait;
using lava::test::WindowFixture;

namespace {

constexpr char two_devices[] = R"json({"devices":[
  {"choice":"cuda:0","name":"Card of the House","memory":25000000000,"integrated":false,"software":false},
  {"choice":"vulkan:0","name":"llvmpipe (LLVM 15.0.6, 256 bits)","memory":2147483648,"integrated":true,"software":true},
  {"choice":"cpu","name":"Fake Processor","memory":0,"integrated":false,"software":false}],"problems":["The Other part cannot be used: it is old."],"absent":[]})json";

QString text(QQuickItem* item) { return item ? item->property("text").toString() : QString("(none)"); }

QString choice_of(QQuickItem* row) { return row->property("modelData").toMap().value("choice").toString(); }

QQuickItem* row_of(const WindowFixture& f, const QString& choice) {
  for (QQuickItem* row : f.find_all("device_row"))
    if (choice_of(row) == choice) return row;
  return nullptr;
}

QString focused(const WindowFixture& f) {
  QQuickItem* item = f.window->activeFocusItem();
  if (!item) return "(nothing)";
  return item->objectName() == "device_row" ? choice_of(item) : item->objectName();
}

bool open(WindowFixture& f) {
  f.click(f.wait_for("engine_pill"));
  return f.wait_for("device_row") != nullptr;
}

}  // namespace

class TestEnginePopover : public QObject {
  Q_OBJECT

 private slots:
  void the_pill_names_what_computes() {
    WindowFixture f;
    QQuickItem* pill = f.wait_for("engine_pill");
    QVERIFY(pill);
    QCOMPARE(pill->property("line").toString(), QString("Processor"));
    f.engine.more_props = {{"backend", "cuda"}, {"device", "Card of the House"}};
    emit f.engine.changed();
    QCOMPARE(pill->property("line").toString(), QString("CUDA"));
    f.engine.more_props = {{"backend", "vulkan"}};
    emit f.engine.changed();
    QCOMPARE(pill->property("line").toString(), QString("Vulkan"));
    f.engine.die({Error::Kind::io, "It broke", "because", "Mend it"});
    QCOMPARE(pill->property("line").toString(), QString("Engine stopped"));
  }

  void it_lists_what_is_there_and_says_what_is_known() {
    WindowFixture f;
    f.engine.more_props = {{"backend", "cuda"}, {"device", "Card of the House"}, {"notice", "The memory of Card of the House is nearly full: prompts are read 64 tokens at a time."}};
    f.engine.choice = "auto";
    f.engine.find(two_devices);
    QVERIFY(open(f));
    QCOMPARE(f.engine.searches, 1);
    QStringList choices, details;
    for (QQuickItem* row : f.find_all("device_row")) {
      choices << choice_of(row);
      details << row->property("modelData").toMap().value("detail").toString();
    }
    QCOMPARE(choices, (QStringList{"auto", "cuda:0", "vulkan:0", "cpu", "server"}));
    QCOMPARE(details[1], QString::fromUtf8("CUDA · 25.0 GB"));
    QCOMPARE(details[2], QString::fromUtf8("Vulkan · 2.1 GB of the computer's memory · played by the processor, slower than it"));
    QCOMPARE(details[3], QString("Fake Processor"));
    QCOMPARE(text(f.find("engine_state")), QString("CUDA"));
    QCOMPARE(text(f.find("engine_device")), QString("Card of the House"));
    QCOMPARE(text(f.find("device_note")), QString("The Other part cannot be used: it is old."));
    QCOMPARE(text(f.find("memory_line")), QString("Memory: up to 909 MB of 25.0 GB"));
    QQuickItem* trouble = f.find("engine_trouble");
    QVERIFY(trouble);
    QVERIFY(QAccessible::queryAccessibleInterface(trouble)->text(QAccessible::Name).contains("nearly full"));
    QVERIFY(!f.find("use_processor"));
    QCOMPARE(f.warnings, QStringList());
  }

  void a_click_switches_and_the_popover_stays() {
    WindowFixture f;
    f.engine.find(two_devices);
    QVERIFY(open(f));
    f.click(row_of(f, "vulkan:0"));
    QCOMPARE(f.engine.choice, QString("vulkan:0"));
    QVERIFY(f.find("device_row"));
    QCOMPARE(text(f.find("engine_state")), QString("Starting engine"));
    QVERIFY(row_of(f, "vulkan:0")->property("current").toBool() && !row_of(f, "cpu")->property("current").toBool());
    f.click(f.find("engine_pill"));
    QVERIFY(wait([&] { return !f.find("device_row"); }));
  }

  void the_keyboard_does_it_all() {
    WindowFixture f;
    f.engine.find(two_devices);
    for (int i = 0; i < 30 && focused(f) != "engine_pill"; ++i) f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("engine_pill"));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return focused(f) == "cpu"; }));
    QVERIFY(f.window->activeFocusItem()->property("visualFocus").toBool());
    f.key(Qt::Key_Down);
    f.key(Qt::Key_Down);
    QCOMPARE(focused(f), QString("server"));  // the last one
    f.key(Qt::Key_Up);
    f.key(Qt::Key_Up);
    f.key(Qt::Key_Up);
    QCOMPARE(focused(f), QString("cuda:0"));
    QCOMPARE(f.engine.choice, QString("cpu"));  // walking chooses nothing
    f.engine.find(two_devices);                 // rows are made anew under the keyboard
    QVERIFY(wait([&] { return focused(f) == "cuda:0"; }));
    f.key(Qt::Key_Return);
    QCOMPARE(f.engine.choice, QString("cuda:0"));
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return focused(f) == "cuda:0"; }));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("engine_details"));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("engine_restart"));
    f.key(Qt::Key_Space);
    QCOMPARE(f.engine.restarts, 1);
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("cuda:0"));  // stays inside
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("device_row") && focused(f) == "engine_pill"; }));
    QCOMPARE(f.warnings, QStringList());
  }

  void rows_are_radio_buttons_with_names() {
    WindowFixture f;
    f.engine.find(two_devices);
    QVERIFY(open(f));
    QAccessibleInterface* card = QAccessible::queryAccessibleInterface(row_of(f, "cuda:0"));
    QVERIFY(card);
    QCOMPARE(card->role(), QAccessible::RadioButton);
    QCOMPARE(card->text(QAccessible::Name), QString::fromUtf8("Card of the House, CUDA · 25.0 GB"));
    QVERIFY(!card->state().checked);
    QVERIFY(QAccessible::queryAccessibleInterface(row_of(f, "cpu"))->state().checked);
    QCOMPARE(QAccessible::queryAccessibleInterface(f.find("engine_pill"))->text(QAccessible::Name), QString("Engine: fake-model, Processor"));
    QCOMPARE(QAccessible::queryAccessibleInterface(f.find("deviceChoices"))->text(QAccessible::Name), QString("Computes on"));
  }

  void a_device_that_is_gone_leaves_a_way_back() {
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    f.engine.find(R"({"devices":[{"choice":"cpu","name":"Fake Processor"}],"problems":[],"absent":["There is no Vulkan device: the system has none."]})");
    f.engine.die({Error::Kind::not_found, "There is no Vulkan device", "the system has none, or its driver is not installed", "Choose another device; \"lavascope-engine devices\" lists them"});
    QVERIFY(open(f));
    const QString said = QAccessible::queryAccessibleInterface(f.find("engine_trouble"))->text(QAccessible::Name);
    QVERIFY2(said.contains("There is no Vulkan device.\nThe system has none") && said.contains("or the processor") && !said.contains("lavascope-engine"), qPrintable(said));
    QVERIFY(row_of(f, "vulkan:0")->property("modelData").toMap().value("detail").toString().contains("not found"));
    QVERIFY(row_of(f, "cpu"));
    f.click(f.find("use_processor"));
    QCOMPARE(f.engine.choice, QString("cpu"));
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return !f.find("engine_trouble") && !f.find("use_processor"); }));
    QVERIFY(!row_of(f, "vulkan:0"));
  }

  void another_failure_keeps_its_own_remedy() {
    WindowFixture f;
    f.engine.choice = "cuda:0";
    f.engine.find(two_devices);
    f.engine.die({Error::Kind::out_of_memory, "The card is full", "another program holds it", "Close other programs"});
    QVERIFY(open(f));
    QVERIFY(QAccessible::queryAccessibleInterface(f.find("engine_trouble"))->text(QAccessible::Name).contains("Close other programs."));
    QVERIFY(f.find("use_processor"));
  }

  void the_error_in_the_chat_offers_the_processor() {
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    const Error gone{Error::Kind::not_found, "There is no Vulkan device", "the system has none, or its driver is not installed", "Choose another device; \"lavascope-engine devices\" lists them"};
    f.engine.die(gone);
    f.chat->composer()->set_text("hello");
    f.chat->send();
    QVERIFY(f.wait_for("error_card"));
    QVERIFY(f.wait_for("card_use_processor"));
    f.click(f.find("card_use_processor"));
    QCOMPARE(f.engine.choice, QString("cpu"));
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return f.find("try_again") && f.find("try_again")->isEnabled() && !f.find("card_use_processor"); }));
    f.click(f.find("try_again"));
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
  }

  void an_answer_under_way_is_spoken_of() {
    WindowFixture f;
    f.engine.find(two_devices);
    QVERIFY(f.ask("hello"));
    QVERIFY(open(f));
    QVERIFY(f.find("device_warning"));
    f.engine.last()->finish("Well.");
    QVERIFY(wait([&] { return f.idle() && !f.find("device_warning"); }));
  }

  void without_a_list_the_processor_can_be_chosen() {
    WindowFixture f;
    f.engine.choice = "cuda";
    f.engine.found.state = FoundDevices::State::looking;
    emit f.engine.devices_changed();
    QVERIFY(open(f));
    QCOMPARE(f.find_all("device_row").size(), 4);  // automatic, what was chosen, the processor, another computer
    QVERIFY(f.find("devices_sought"));
    f.engine.found = {FoundDevices::State::failed, {}, {"The devices of this computer cannot be listed: a driver has not answered for 20 seconds."}};
    emit f.engine.devices_changed();
    QVERIFY(wait([&] { return !f.find("devices_sought") && text(f.find("device_note")).contains("cannot be listed"); }));
    f.click(row_of(f, "cpu"));
    QCOMPARE(f.engine.choice, QString("cpu"));
  }

  void nothing_is_cut_at_twice_the_size_data() {
    QTest::addColumn<QSize>("size");
    QTest::newRow("usual") << QSize(1180, 800);
    QTest::newRow("smallest") << QSize(480, 520);
  }

  void nothing_is_cut_at_twice_the_size() {
    QFETCH(QSize, size);
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    f.engine.find(two_devices);
    f.engine.die({Error::Kind::io, "The engine stopped while it was starting", "it crashed; its last words: a_very_long_word_of_a_driver_that_has_no_place_to_break_it", "Restart the engine"});
    auto* theme = qmlEngine(f.find("engine_pill"))->singletonInstance<ui::Theme*>(qmlTypeId("Lavascope", 1, 0, "Theme"));
    QVERIFY(theme);
    theme->set_text_scale(2);
    f.window->resize(size);
    if (!f.find("engine_pill")) f.key(Qt::Key_B, Qt::ControlModifier);
    QVERIFY(open(f));
    QQuickItem* row = f.find("device_row");
    QQuickItem* popup = row;
    while (popup && !popup->inherits("QQuickPopupItem")) popup = popup->parentItem();
    QVERIFY(popup);
    const QRectF box = popup->mapRectToScene(QRectF(0, 0, popup->width(), popup->height()));
    QVERIFY2(QRectF(0, 0, f.window->width(), f.window->height()).contains(box), qPrintable(QString("%1 %2 %3 %4").arg(box.x()).arg(box.y()).arg(box.width()).arg(box.height())));
    QCOMPARE(cut_off(popup, box.right()), QString());
    for (const char* name : {"use_processor", "engine_restart"}) {
      QQuickItem* button = f.find(name);
      QVERIFY2(button && box.contains(button->mapRectToScene(QRectF(0, 0, button->width(), button->height()))), name);
    }
    theme->set_text_scale(1);
  }
};

QTEST_MAIN(TestEnginePopover)
#include "tst_engine_popover.moc"
