// The pill at the foot of the sidebar and what it opens: the device that computes, and the switch to another.
#include <QAccessible>
#include <QDesktopServices>
#include <QTest>

#include "tests/support/ui/engine_rows.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using namespace lava::test;

// Stands where the desktop's own programs would open files.
class Opener : public QObject {
  Q_OBJECT
 public:
  Opener() { QDesktopServices::setUrlHandler("file", this, "open"); }
  ~Opener() override { QDesktopServices::unsetUrlHandler("file"); }
  Q_INVOKABLE void open(const QUrl& url) { opened << url.toLocalFile(); }
  QStringList opened;
};

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
    QVERIFY(open_popover(f));
    QCOMPARE(f.engine.searches, 1);
    QStringList choices, details;
    for (QQuickItem* row : f.find_all("device_row")) {
      choices << choice_of(row);
      details << row->property("entry").toMap().value("detail").toString();
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
    QVERIFY(spoken(trouble).contains("nearly full"));
    QVERIFY(!f.find("use_processor"));
    QCOMPARE(f.warnings, QStringList());
  }

  void a_click_switches_and_the_popover_stays() {
    WindowFixture f;
    f.engine.find(two_devices);
    QVERIFY(open_popover(f));
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
    QVERIFY(tab_to(f, "engine_pill"));
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
    for (const char* stop : {"engine_details", "engine_settings", "engine_restart"}) {
      QCOMPARE(focused(f), QString(stop));
      if (focused(f) != "engine_restart") f.key(Qt::Key_Tab);
    }
    f.key(Qt::Key_Space);
    QCOMPARE(f.engine.restarts, 1);
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("engine_unload"));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("cuda:0"));  // stays inside
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("device_row") && focused(f) == "engine_pill"; }));
    QCOMPARE(f.warnings, QStringList());
  }

  void rows_are_radio_buttons_with_names() {
    WindowFixture f;
    f.engine.find(two_devices);
    QVERIFY(open_popover(f));
    QAccessibleInterface* card = QAccessible::queryAccessibleInterface(row_of(f, "cuda:0"));
    QVERIFY(card);
    QCOMPARE(card->role(), QAccessible::RadioButton);
    QCOMPARE(card->text(QAccessible::Name), QString::fromUtf8("Card of the House, CUDA · 25.0 GB"));
    QVERIFY(!card->state().checked);
    QVERIFY(QAccessible::queryAccessibleInterface(row_of(f, "cpu"))->state().checked);
    QCOMPARE(spoken(f.find("engine_pill")), QString("Engine: fake-model, Processor"));
    QCOMPARE(spoken(f.find("deviceChoices")), QString("Computes on"));
  }

  void a_device_that_is_gone_leaves_a_way_back() {
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    f.engine.find(R"({"devices":[{"choice":"cpu","name":"Fake Processor"}],"problems":[],"absent":["There is no Vulkan device: the system has none."]})");
    f.engine.die({Error::Kind::not_found, "There is no Vulkan device", "the system has none, or its driver is not installed", "Choose another device; \"lavascope-engine devices\" lists them"});
    QVERIFY(open_popover(f));
    const QString said = spoken(f.find("engine_trouble"));
    QVERIFY2(said.contains("There is no Vulkan device.\nThe system has none") && said.contains("or the processor") && !said.contains("lavascope-engine"), qPrintable(said));
    QVERIFY(row_of(f, "vulkan:0")->property("entry").toMap().value("detail").toString().contains("not found"));
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
    QVERIFY(open_popover(f));
    QVERIFY(spoken(f.find("engine_trouble")).contains("Close other programs."));
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
    QVERIFY(open_popover(f));
    QVERIFY(f.find("device_warning"));
    f.engine.last()->finish("Well.");
    QVERIFY(wait([&] { return f.idle() && !f.find("device_warning"); }));
  }

  void without_a_list_the_processor_can_be_chosen() {
    WindowFixture f;
    f.engine.choice = "cuda";
    f.engine.found.state = FoundDevices::State::looking;
    emit f.engine.devices_changed();
    QVERIFY(open_popover(f));
    QCOMPARE(f.find_all("device_row").size(), 4);  // automatic, what was chosen, the processor, another computer
    QVERIFY(f.find("devices_sought"));
    f.engine.found = {FoundDevices::State::failed, {}, {"The devices of this computer cannot be listed: a driver has not answered for 20 seconds."}};
    emit f.engine.devices_changed();
    QVERIFY(wait([&] { return !f.find("devices_sought") && text(f.find("device_note")).contains("cannot be listed"); }));
    f.click(row_of(f, "cpu"));
    QCOMPARE(f.engine.choice, QString("cpu"));
  }

  void the_memory_is_given_back_and_taken_again() {
    WindowFixture f;
    QVERIFY(open_popover(f));
    QVERIFY(f.find("memory_line") && !f.find("engine_load"));
    f.click(f.find("engine_unload"));
    QVERIFY(f.engine.was_unloaded);
    QCOMPARE(text(f.find("engine_state")), QString("Model unloaded"));
    QCOMPARE(text(f.find("engine_device")), QString("Loads when you ask"));
    QVERIFY(!f.find("memory_line") && !f.find("engine_unload") && !f.find("engine_restart"));
    QCOMPARE(spoken(f.find("engine_pill")), QString("Engine: Model unloaded, Loads when you ask"));
    f.click(f.find("engine_load"));
    QVERIFY(!f.engine.was_unloaded);
    QCOMPARE(text(f.find("engine_state")), QString("Starting engine"));
    QVERIFY(f.find("engine_unload"));  // loading can be ended, too
    f.engine.die({Error::Kind::io, "It broke", "because", "Mend it"});
    QVERIFY(!f.find("engine_unload") && f.find("engine_restart"));
    f.engine.use_server({QUrl("http://gpu:8080"), {}});
    QVERIFY(!f.find("engine_unload"));  // its memory is not ours to give back
    QCOMPARE(f.warnings, QStringList());
  }

  void an_unloaded_engine_loads_with_the_next_question() {
    WindowFixture f;
    f.engine.unload();
    QVERIFY(text(f.find("composer_note")).contains("loads when you ask"));
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return !f.engine.was_unloaded; }));
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    f.engine.last()->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2; }));
  }

  void a_failed_answer_can_be_tried_again_after_unloading() {
    WindowFixture f;
    FakeAsking* asking = f.ask("hello");
    QVERIFY(asking);
    asking->break_off({Error::Kind::invalid, "It broke", "because", "Mend it"});
    QVERIFY(f.wait_for("try_again"));
    f.engine.unload();
    QVERIFY(wait([&] { return f.find("try_again")->isEnabled() && !f.find("restart_engine"); }));
    f.next_frame();
    f.click(f.find("try_again"));
    QVERIFY(wait([&] { return !f.engine.was_unloaded; }));
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
  }

  void a_question_that_waits_is_not_asked_after_unloading() {
    WindowFixture f;
    f.engine.set_state(EngineLink::State::loading, 0.3);
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.chat->busy() && f.stored().size() == 2; }));
    f.engine.unload();
    QVERIFY(wait([&] { return f.idle() && f.stored()[1].state == MessageState::stopped; }));
    QVERIFY(f.engine.was_unloaded && f.engine.questions.empty());
  }

  void the_log_opens_or_its_place_is_shown() {
    Opener opener;
    WindowFixture f;
    QVERIFY(open_popover(f));
    QVERIFY(!f.find("engine_log"));  // none is kept
    f.engine.log = f.folder.filePath("engine.log");
    emit f.engine.changed();
    f.click(f.wait_for("engine_log"));  // not written yet
    QVERIFY(f.wait_for("settings_engine"));
    QVERIFY(f.find("open_log") && !f.find("engine_log"));
    QFile file(f.engine.log);
    QVERIFY(file.open(QFile::WriteOnly));
    QVERIFY(open_popover(f));
    f.click(f.find("engine_log"));
    QCOMPARE(opener.opened, QStringList{f.engine.log});
    QCOMPARE(f.warnings, QStringList());
  }

  void nothing_is_cut_at_twice_the_size_data() { sizes_for_fitting(); }

  void nothing_is_cut_at_twice_the_size() {
    WindowFixture f;
    f.engine.choice = "vulkan:0";
    f.engine.find(two_devices);
    f.engine.die({Error::Kind::io, "The engine stopped while it was starting", "it crashed; its last words: a_very_long_word_of_a_driver_that_has_no_place_to_break_it", "Restart the engine"});
    at_twice_the_size(f, [&] {
      QVERIFY(open_popover(f));
      QCOMPARE(misfit(f, f.find("device_row"), {"use_processor", "engine_restart"}), QString());
    });
  }
};

QTEST_MAIN(TestEnginePopover)
#include "tst_engine_popover.moc"
