#include <QTest>

#include "tests/support/ui/window_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::FakeAsking;
using lava::test::WindowFixture;

namespace {

using lava::test::wait;

// The list of messages, at its end, after a long answer.
QQuickItem* long_chat(WindowFixture& f) {
  f.type("long");
  f.key(Qt::Key_Return);
  if (!wait([&] { return f.engine.questions.size() == 1; })) return nullptr;
  f.engine.last()->finish(QString("Some words that fill a line or two of the window.\n\n").repeated(60));
  QQuickItem* list = f.wait_for("messages");
  return wait([&] { return f.idle() && list->property("atYEnd").toBool(); }) ? list : nullptr;
}

}  // namespace

class TestScrolling : public QObject {
  Q_OBJECT

 private slots:
  void a_reader_who_scrolled_up_stays_there() {
    WindowFixture f;
    f.type("long");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    FakeAsking* asking = f.engine.last();
    for (int i = 0; i < 60; ++i) asking->say(QString("Paragraph %1 has some words in it.\n\n").arg(i));
    QQuickItem* list = f.wait_for("messages");
    QVERIFY(wait([&] { return list->property("contentHeight").toReal() > 1200 && list->property("atYEnd").toBool(); }));
    const auto top = [&] {  // where the row at the middle of the view stands
      QQuickItem* item = nullptr;
      QMetaObject::invokeMethod(list, "itemAt", Q_RETURN_ARG(QQuickItem*, item), Q_ARG(qreal, 20), Q_ARG(qreal, list->property("contentY").toReal() + list->height() / 2));
      return std::pair(item, item ? item->mapToScene({0, 0}).y() : 0);
    };
    const QPointF at = list->mapToScene({100, 100});
    QWheelEvent wheel(at, f.window->mapToGlobal(at), QPoint(), QPoint(0, 120), Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(f.window, &wheel);
    QVERIFY(wait([&] { return !list->property("atYEnd").toBool() && !list->property("moving").toBool(); }));
    const auto [row, y] = top();
    QVERIFY(row);
    asking->say(QString("words of a paragraph that is seen while it grows ").repeated(40) + "\n\n");
    for (int i = 0; i < 10; ++i) asking->say(QString("Later paragraph %1 comes below.\n\n").arg(i));
    QVERIFY(wait([&] { return f.entry("text")["text"].toString().startsWith("Later paragraph 9"); }));
    QTest::qWait(50);  // a frame or two: nothing may move
    QVERIFY(std::abs(row->mapToScene({0, 0}).y() - y) < 2);
  }

  void page_keys_scroll_from_the_composer() {
    WindowFixture f;
    QQuickItem* list = long_chat(f);
    QVERIFY(list);
    const qreal bottom = list->property("contentY").toReal();
    f.key(Qt::Key_PageUp);
    QVERIFY(std::abs(bottom - list->property("contentY").toReal() - (list->height() - 48)) < 2);
    f.key(Qt::Key_PageDown);
    f.key(Qt::Key_PageDown);
    QVERIFY(wait([&] { return list->property("atYEnd").toBool(); }));
  }

  void a_short_chat_does_not_move() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    QQuickItem* list = f.find("messages");
    f.window->resize(1000, 1000);
    QVERIFY(wait([&] { return list->property("contentHeight").toReal() < list->height(); }));
    QTest::qWait(50);
    const qreal before = f.find("answer_text")->mapToScene({0, 0}).y();
    f.key(Qt::Key_PageUp);
    f.key(Qt::Key_PageDown);
    QTest::qWait(50);
    QCOMPARE(f.find("answer_text")->mapToScene({0, 0}).y(), before);
  }

  // Only what is visible is built, however long the chat is.
  void a_chat_of_a_thousand_messages_opens() {
    WindowFixture f;
    const ChatId chat = *f.history->create_chat("Long").result();
    Message message;
    message.chat = chat;
    for (int i = 0; i < 1000; ++i) {
      message.role = i % 2 == 0 ? Role::user : Role::assistant;
      message.text = QString("Message %1 says **something** of a few words.\n\n- and a list\n- of two").arg(i);
      const auto added = f.history->add_message(message).result();
      QVERIFY(added);
      message.parent = *added;
    }
    f.chat->open_chat(chat);
    QVERIFY(wait([&] { return f.chat->transcript()->count() == 3000 && f.find("answer_text"); }));
    QVERIFY(f.find_all("answer_text").size() < 100);
    QVERIFY(f.find("messages")->property("atYEnd").toBool());
    FakeAsking* asking = f.ask("And now?");
    QVERIFY(asking);
    asking->say("Words at the end");
    QVERIFY(wait([&] { return f.entry("text")["text"] == "Words at the end"; }));
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 100; ++i) asking->say(QString(" word%1").arg(i));
    QVERIFY(wait([&] { return f.entry("text")["text"].toString().endsWith("word99"); }));
    QVERIFY2(timer.elapsed() < 5000, qPrintable(QString::number(timer.elapsed())));
  }

  void a_resize_keeps_the_newest_in_view() {
    WindowFixture f;
    QQuickItem* list = long_chat(f);
    QVERIFY(list);
    f.window->resize(700, 600);
    QVERIFY(wait([&] { return f.window->width() == 700 && list->property("atYEnd").toBool(); }));
    f.key(Qt::Key_Plus, Qt::ControlModifier);
    f.window->resize(480, 520);
    QTest::qWait(100);  // rows are laid out anew over a few frames
    QVERIFY(list->property("atYEnd").toBool());
  }
};

QTEST_MAIN(TestScrolling)
#include "tst_scrolling.moc"
