// The settings page: the ways to it and back, its search, and that its rows do what they say. Those of the engine: tst_settings_engine.
#include <QAccessible>
#include <QClipboard>
#include <QGuiApplication>
#include <QTest>

#include "app/settings/about.h"
#include "tests/support/ui/settings_rows.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using namespace lava::test;

namespace {

constexpr const char* groups[] = {"appearance", "engine", "storage", "keys", "about"};

QQuickItem* segment(const WindowFixture& f, const QString& choice) { return row_of(f, choice, "segment"); }

}  // namespace

class TestSettings : public QObject {
  Q_OBJECT
  QTemporaryDir home_;

  void put(const QString& name, qint64 bytes) const {
    QDir().mkpath(QFileInfo(home_.filePath(name)).path());
    QFile file(home_.filePath(name));
    QVERIFY(file.open(QFile::WriteOnly) && file.resize(bytes));
  }

 private slots:
  void initTestCase() { live_in(home_.path()); }

  void there_and_back() {
    WindowFixture f;
    QVERIFY(f.wait_for("gear"));
    f.click(f.find("gear"));
    QVERIFY(f.wait_for("settings_page"));
    QVERIFY(!f.find("composer_field") && f.find("sidebar"));
    QVERIFY(f.find("settings_search")->hasActiveFocus());
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("settings_page") && f.find("composer_field")->hasActiveFocus(); }));
    f.key(Qt::Key_Comma, Qt::ControlModifier);
    QVERIFY(f.wait_for("settings_back"));
    f.click(f.find("settings_back"));
    QVERIFY(wait([&] { return !f.find("settings_page") && f.find("composer_field")->hasActiveFocus(); }));
    QVERIFY(open_popover(f));
    f.click(f.find("engine_settings"));
    QVERIFY(f.wait_for("settings_engine"));
    QVERIFY(wait([&] { return !f.find("engine_popover") && f.find_all("deviceChoices").size() == 1; }));
    f.key(Qt::Key_N, Qt::ControlModifier);
    QVERIFY(!f.find("settings_page") && f.find("composer_field")->hasActiveFocus());
    QCOMPARE(f.warnings, QStringList());
  }

  void the_list_of_keys_names_it() {
    WindowFixture f;
    f.key(Qt::Key_F1);
    QVERIFY(wait([&] { return words_in(f.window->contentItem()).contains("Ctrl+,"); }));
  }

  void what_is_typed_or_pressed_there_is_not_for_the_chat() {
    WindowFixture f;
    FakeAsking* asking = f.ask("hello");
    QVERIFY(asking);
    QVERIFY(open_settings(f));
    f.find("settings_back")->forceActiveFocus();
    f.type("x");
    f.key(Qt::Key_R, Qt::ControlModifier);
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("settings_page"); }));
    QVERIFY(f.chat->busy() && !asking->was_cancelled);
    QCOMPARE(f.chat->composer()->text(), QString());
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return f.idle(); }));
  }

  void the_keyboard_walks_groups_and_rows() {
    WindowFixture f;
    QVERIFY(open_settings(f));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("category_appearance"));
    QVERIFY(f.window->activeFocusItem()->property("visualFocus").toBool());
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("segment"));
    f.key(Qt::Key_Backtab);
    for (const char* group : {"engine", "storage", "keys", "about"}) {
      f.key(Qt::Key_Down);
      QCOMPARE(focused(f), QString("category_") + group);
      QVERIFY(f.find(QString("settings_") + group));
      QCOMPARE(f.find_all("settings_row").size(), titles(f).size());
    }
    f.key(Qt::Key_Down);  // the last one stays
    QCOMPARE(focused(f), QString("category_about"));
    f.key(Qt::Key_Tab);
    QCOMPARE(focused(f), QString("copy_version"));
    QAccessibleInterface* tab = QAccessible::queryAccessibleInterface(f.find("category_about"));
    QCOMPARE(tab->role(), QAccessible::PageTab);
    QCOMPARE(tab->text(QAccessible::Name), QString("About"));
    QCOMPARE(spoken(f.find("settings_page")), QString("Settings"));
    QCOMPARE(f.warnings, QStringList());
  }

  void the_theme_changes_at_once_and_goes_back() {
    WindowFixture f;
    ui::Theme* theme = theme_of(f);
    QVERIFY(open_settings(f, "appearance"));
    QQuickItem* theme_row = row(f, "Theme");
    QVERIFY(theme_row && !in(f, theme_row, "changed_dot"));
    QCOMPARE(theme->name(), QString("dark"));  // of the system
    f.click(segment(f, "light"));
    QCOMPARE(theme->name(), QString("light"));
    QVERIFY(in(f, theme_row, "changed_dot"));
    QCOMPARE(spoken(theme_row), QString("Theme, changed"));
    segment(f, "light")->forceActiveFocus();
    f.key(Qt::Key_Right);
    f.key(Qt::Key_Right);
    QCOMPARE(theme->name(), QString("contrast"));
    QVERIFY(segment(f, "contrast")->hasActiveFocus());
    QVERIFY(QAccessible::queryAccessibleInterface(segment(f, "contrast"))->state().checked);
    f.click(in(f, theme_row, "reset"));
    QCOMPARE(theme->asked(), QString());
    QCOMPARE(theme->name(), QString("dark"));
    QVERIFY(!in(f, theme_row, "changed_dot") && !in(f, theme_row, "reset"));
    QCOMPARE(f.warnings, QStringList());
  }

  void text_size_and_motion() {
    WindowFixture f;
    ui::Theme* theme = theme_of(f);
    QVERIFY(open_settings(f, "appearance"));
    f.click(f.find("text_larger"));
    f.click(f.find("text_larger"));
    QCOMPARE(text(f.find("text_scale")), QString("120 %"));
    f.click(f.find("text_smaller"));
    QVERIFY(qFuzzyCompare(theme->text_scale(), 1.1));
    f.click(in(f, row(f, "Text size"), "reset"));
    QCOMPARE(text(f.find("text_scale")), QString("100 %"));
    theme->set_text_scale(2.5);
    QVERIFY(!f.find("text_larger")->isEnabled());
    theme->set_text_scale(1);
    theme->set_reduced_motion(false);
    f.click(f.find("less_motion"));
    QVERIFY(theme->reduced_motion());
    f.click(in(f, row(f, "Less motion"), "reset"));
    QVERIFY(!theme->reduced_motion() && !f.find("less_motion")->property("checked").toBool());
    f.find("less_motion")->forceActiveFocus();
    f.key(Qt::Key_Space);
    QVERIFY(theme->reduced_motion());
    f.key(Qt::Key_Return);
    QVERIFY(!theme->reduced_motion());
    theme->set_reduced_motion(true);
  }

  void the_search_filters_and_marks() {
    WindowFixture f;
    f.engine.log = "/somewhere/engine.log";
    QVERIFY(open_settings(f));
    f.type("card");
    QCOMPARE(titles(f), (QStringList{"Computes on", "Devices of this computer", "Check of the graphics card", "Device checks", "Other caches", "Engine"}));
    QVERIFY(f.find("settings_engine") && f.find("settings_storage") && !f.find("settings_appearance"));
    QVERIFY(words_in(row(f, "Check of the graphics card")).contains(">card</span>"));
    QCOMPARE(spoken(f.find("category_engine")), QString("Models & engine, 3 found"));
    QCOMPARE(spoken(f.find("category_keys")), QString("Keys, 0 found"));
    f.type(" driver");
    QCOMPARE(titles(f), QStringList{"Devices of this computer"});
    f.type(" xyz");
    QVERIFY(titles(f).isEmpty() && text(f.find("nothing_found")).contains("card driver xyz"));
    f.key(Qt::Key_Escape);
    QVERIFY(f.find("settings_appearance") && !f.find("nothing_found"));
    QCOMPARE(text(f.find("settings_search")), QString());
    f.type("unload");
    QCOMPARE(titles(f), QStringList{"Computes on"});
    f.click(f.find("engine_unload"));  // what is found works
    QVERIFY(f.engine.was_unloaded);
    f.find("settings_search")->forceActiveFocus();
    f.key(Qt::Key_A, Qt::ControlModifier);
    f.type("ctrl+r");
    QCOMPARE(titles(f), QStringList{"Keys of the window"});
    QVERIFY(words_in(f.find("settings_keys")).contains("Another answer") && !words_in(f.find("settings_keys")).contains("Quit"));
    f.click(f.find("category_storage"));  // ends the search
    QVERIFY(f.find("settings_storage") && !f.find("settings_keys"));
    f.key(Qt::Key_Escape);
    QVERIFY(!f.find("settings_page"));
    QCOMPARE(f.warnings, QStringList());
  }

  void storage_is_counted_and_cleared() {
    put("data/lavascope/media/a.png", 2'000'000);
    put("cache/lavascope/weights/a.pack", 7'000'000);
    WindowFixture f;
    QVERIFY(open_settings(f, "storage"));
    QVERIFY(wait([&] { return text(f.find("size_of_packs")) == "7 MB"; }));
    QCOMPARE(text(f.find("size_of_media")), QString("2 MB"));
    QVERIFY(words_in(row(f, "Packed weights")).contains(home_.filePath("cache/lavascope/weights")));
    QVERIFY(!f.find("clear_media_begin") && !f.find("clear_history_begin") && !f.find("clear_models_begin"));
    f.click(f.find("clear_packs_begin"));
    QVERIFY(f.find("clear_packs_agree") && !f.find("clear_packs_begin"));
    QCOMPARE(focused(f), QString("clear_packs_keep"));  // Enter once more clears nothing
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return focused(f) == "clear_packs_begin"; }));
    QVERIFY(QFile::exists(home_.filePath("cache/lavascope/weights/a.pack")));
    f.click(f.find("clear_packs_begin"));
    f.next_frame();
    f.click(f.find("clear_packs_agree"));
    QVERIFY(wait([&] { return text(f.find("size_of_packs")) == "0 kB"; }));
    QVERIFY(!QFile::exists(home_.filePath("cache/lavascope/weights/a.pack")));
    QVERIFY(QFile::exists(home_.filePath("data/lavascope/media/a.png")));
    QCOMPARE(f.warnings, QStringList());
  }

  void it_says_what_it_is() {
    WindowFixture f;
    QVERIFY(open_settings(f, "about"));
    QVERIFY(row(f, "Lavascope " + version()));
    f.click(f.find("copy_version"));
    QVERIFY(QGuiApplication::clipboard()->text().startsWith("Lavascope " + version()));
    QVERIFY(!f.find("licence"));
    f.click(f.find("licences_fold"));
    QVERIFY(f.find_all("licence").size() > 20);
    const QString words = words_in(f.find("settings_about"));
    for (const char* part : {"Qt 6", "LGPL", "SQLite", "Chelsea", "CC0"}) QVERIFY2(words.contains(part), part);
    QCOMPARE(f.warnings, QStringList());
  }

  void nothing_is_cut_data() {
    QTest::addColumn<QSize>("size");
    QTest::addColumn<double>("scale");
    QTest::newRow("usual") << QSize(1180, 800) << 1.0;
    QTest::newRow("usual, large text") << QSize(1180, 800) << 2.0;
    QTest::newRow("smallest") << QSize(480, 520) << 1.0;
    QTest::newRow("smallest, large text") << QSize(480, 520) << 2.0;
    QTest::newRow("largest text") << QSize(900, 700) << 2.5;
  }

  void nothing_is_cut() {
    QFETCH(QSize, size);
    QFETCH(double, scale);
    WindowFixture f;
    theme_of(f)->set_text_scale(scale);
    f.window->resize(size);
    f.engine.log = "/home/somebody/with/a/long/name/.local/state/lavascope/engine.log";
    f.engine.choice = "cuda:0";
    f.engine.find(two_devices);
    QVERIFY(open_settings(f));
    QQuickItem* page = f.find("settings_page");
    QVERIFY(wait([&] { return f.window->width() == size.width() && page->width() <= size.width(); }));
    for (const char* group : groups) {
      f.click(f.find(QString("category_") + group));
      QVERIFY2(f.find(QString("settings_") + group), group);
      if (QQuickItem* fold = f.find("licences_fold")) QMetaObject::invokeMethod(fold, "clicked");
      QVERIFY(wait([&] { return f.find("settings_row")->width() > 100; }));
      QCOMPARE(cut_off(page, page->mapToScene(QPointF(page->width(), 0)).x()), QString());
      QQuickItem* body = f.find("settings_body");
      QVERIFY2(body->height() > 100, group);
      for (QQuickItem* one : f.find_all("settings_row")) QVERIFY2(one->mapToScene(QPointF(one->width(), 0)).x() <= size.width(), group);
    }
    theme_of(f)->set_text_scale(1);
    QCOMPARE(f.warnings, QStringList());
  }

  void a_narrow_window_has_the_groups_above() {
    WindowFixture f;
    f.window->resize(480, 520);
    QVERIFY(open_settings(f));
    QVERIFY(wait([&] { return f.find("settings_body")->mapToScene(QPointF()).y() > f.find("category_about")->mapToScene(QPointF()).y(); }));
    f.window->resize(1180, 800);
    QVERIFY(wait([&] { return f.find("settings_body")->mapToScene(QPointF()).x() > f.find("category_about")->mapToScene(QPointF()).x() + 100; }));
    QQuickItem* first = f.find("settings_row");
    QVERIFY(first->width() <= 720);
  }
};

QTEST_MAIN(TestSettings)
#include "tst_settings_page.moc"
