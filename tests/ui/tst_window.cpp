#include <QClipboard>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QGuiApplication>
#include <QMimeData>
#include <QTest>

#include "tests/support/ui/window_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::ChatFixture;
using lava::test::FakeAsking;
using lava::test::WindowFixture;

namespace {

using lava::test::wait;

QString field_text(const WindowFixture& f) {
  return f.find("composer_field")->property("text").toString();
}

void drop(WindowFixture& f, QMimeData* data) {
  const QPoint at(600, 300);
  QDragEnterEvent enter(at, Qt::CopyAction, data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(f.window, &enter);
  QDragMoveEvent move(at, Qt::CopyAction, data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(f.window, &move);
  QDropEvent event(at, Qt::CopyAction, data, Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(f.window, &event);
}

int ready_chips(const WindowFixture& f) {
  return static_cast<int>(f.chat->composer()->draft().pictures.size());
}

}  // namespace

class TestWindow : public QObject {
  Q_OBJECT

 private slots:
  void the_start_page_shows_and_its_examples_work() {
    WindowFixture f;
    QVERIFY(f.wait_for("example"));
    QCOMPARE(f.find_all("example").size(), 4);
    QVERIFY(f.find("composer_field")->hasActiveFocus());
    f.chat->composer()->set_text("half a thought");
    f.click(f.find("example"));
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    QCOMPARE(f.engine.questions[0].turns[0].pictures.size(), size_t{1});
    QVERIFY(!f.find("example"));
    QCOMPARE(f.warnings, QStringList());
  }

  void typing_enter_and_shift_enter() {
    WindowFixture f;
    f.type("one");
    f.key(Qt::Key_Return, Qt::ShiftModifier);
    f.type("two");
    QCOMPARE(field_text(f), QString("one\ntwo"));
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    QCOMPARE(f.engine.questions[0].turns[0].text, QString("one\ntwo"));
    QCOMPARE(field_text(f), QString());
  }

  void the_send_button_turns_into_stop() {
    WindowFixture f;
    f.type("hello");
    f.click(f.find("send_button"));
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    FakeAsking* asking = f.engine.last();
    asking->say("Well");
    f.click(f.find("send_button"));
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2 && f.stored()[1].state == MessageState::stopped; }));
  }

  void escape_stops() {
    WindowFixture f;
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return f.idle(); }));
  }

  void dropped_files_become_chips() {
    WindowFixture f;
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(ChatFixture::picture())});
    drop(f, &data);
    QVERIFY(wait([&] { return ready_chips(f) == 1 && f.find("chip"); }));
    QVERIFY(wait([&] { return f.engine.preparations.size() == 1; }));
    emit f.engine.preparations[0].preparing->failed({Error::Kind::internal, "It broke", "because", "Mend it"});
    QVERIFY(wait([&] { return !f.engine.preparations[0].preparing; }));
    QVERIFY(!f.find("error_card") && !f.find("toast_action"));
    QCOMPARE(f.find("chip")->property("chipState").toString(), QString("ready"));
    QCOMPARE(f.find("composer_note")->property("text").toString(), QString("Pictures take 29 tokens"));
  }

  void a_dropped_image_becomes_a_chip() {
    WindowFixture f;
    QFile file(ChatFixture::picture());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QMimeData data;
    data.setData("image/png", file.readAll());
    drop(f, &data);
    QVERIFY(wait([&] { return ready_chips(f) == 1; }));
  }

  void paste_tells_files_pictures_and_text_apart() {
    WindowFixture f;
    QClipboard* clipboard = QGuiApplication::clipboard();
    clipboard->setText("just words");
    f.key(Qt::Key_V, Qt::ControlModifier);
    QCOMPARE(field_text(f), QString("just words"));
    auto* files = new QMimeData;
    files->setUrls({QUrl::fromLocalFile(ChatFixture::picture())});
    clipboard->setMimeData(files);
    f.key(Qt::Key_V, Qt::ControlModifier);
    QVERIFY(wait([&] { return ready_chips(f) == 1; }));
    QImage image(40, 30, QImage::Format_RGB32);
    image.fill(Qt::red);
    clipboard->setImage(image);
    f.key(Qt::Key_V, Qt::ControlModifier);
    QVERIFY(wait([&] { return ready_chips(f) == 2; }));
    QCOMPARE(f.chat->composer()->draft().pictures[1].width, 40);
    QCOMPARE(field_text(f), QString("just words"));
  }

  void chips_move_and_go_by_keyboard() {
    WindowFixture f;
    f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture()), QUrl::fromLocalFile(ChatFixture::picture().replace("chelsea", "coffee"))});
    QVERIFY(wait([&] { return ready_chips(f) == 2 && f.find_all("chip").size() == 2; }));
    f.find("chip")->forceActiveFocus(Qt::TabFocusReason);
    f.key(Qt::Key_Right, Qt::AltModifier);
    QCOMPARE(f.chat->composer()->draft().pictures[0].name, QString("coffee.png"));
    f.key(Qt::Key_Delete);
    QVERIFY(wait([&] { return f.chat->composer()->count() == 1; }));
  }

  void pointing_at_words_lights_the_box_and_the_other_way_round() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    QQuickItem* overlay = f.find("overlay");
    const auto lit = [&] { return overlay->property("highlighted").toList().size(); };
    QVERIFY(wait([&] { return !f.find("phrase")->childItems().isEmpty(); }));
    QVERIFY(wait([&] {
      QQuickItem* piece = f.find("phrase")->childItems().value(0);
      if (!piece || piece->width() < 5) return false;
      f.point_at(piece);
      return lit() == 1;
    }));
    f.point_at(f.find("composer_field"));
    QVERIFY(wait([&] { return lit() == 0; }));
    f.point_at(overlay, QPointF(overlay->width() * 0.28, overlay->height() * 0.4));
    QVERIFY(wait([&] { return f.find("phrase")->property("lit").toBool(); }));
  }

  void a_phrase_opens_the_picture_and_escape_closes_it() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    f.find("phrase")->forceActiveFocus(Qt::TabFocusReason);
    f.key(Qt::Key_Return);
    QVERIFY(f.wait_for("viewer"));
    for (int i = 0; i < 6; ++i) {
      f.key(Qt::Key_Tab);
      QVERIFY(f.find("viewer")->property("activeFocus").toBool());
    }
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("viewer"); }));
    QVERIFY(f.find("phrase")->hasActiveFocus());
    f.key(Qt::Key_Return);
    f.key(Qt::Key_N, Qt::ControlModifier);
    QVERIFY(!f.find("viewer") && f.find("composer_field")->hasActiveFocus());
  }

  void words_typed_over_an_answer_reach_the_composer() {
    WindowFixture f;
    QVERIFY(f.ask_with_box());
    QQuickItem* answer = f.find("answer_text");
    const auto clicked = [&] { return f.click(answer, {answer->width() - 5, 5}), answer->hasActiveFocus(); };
    QVERIFY(wait(clicked));
    f.type("and why");
    QCOMPARE(field_text(f), QString("and why"));
    QVERIFY(wait(clicked));
    QGuiApplication::clipboard()->setText("?");
    f.key(Qt::Key_V, Qt::ControlModifier);
    QCOMPARE(field_text(f), QString("and why?"));
    QVERIFY(wait(clicked));
    f.key(Qt::Key_F2);
    QVERIFY(f.wait_for("chat_title") && f.find("chat_title")->hasActiveFocus());
    QVERIFY(wait(clicked));
    QVERIFY(!f.find("chat_title"));
    f.key(Qt::Key_N, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.chat->empty() && f.find("composer_field")->hasActiveFocus(); }));
  }

  void a_broken_picture_says_why_and_stays() {
    WindowFixture f;
    f.chat->composer()->add_bytes("no picture", "notes.jpg");
    QVERIFY(wait([&] { return f.find("chip") && f.find("chip")->property("chipState") == "failed"; }));
    f.type("what is it");
    f.key(Qt::Key_Return);
    QVERIFY(f.engine.questions.empty());
    QCOMPARE(f.chat->composer()->count(), 1);
    QVERIFY(f.find("composer_note")->property("text").toString().startsWith("notes.jpg: "));
  }

  void a_dead_engine_shows_a_card_and_keeps_the_words() {
    WindowFixture f;
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    const Error error{Error::Kind::io, "The engine stopped", "signal 9", "Restart the engine"};
    f.engine.last()->say("Half");
    f.engine.last()->break_off(error);
    f.engine.die(error);
    QVERIFY(f.wait_for("error_card"));
    QVERIFY(f.kinds().contains("text"));
    f.type("next question");
    QCOMPARE(field_text(f), QString("next question"));
    QVERIFY(!f.find("try_again")->isEnabled());
    f.click(f.find("restart_engine"));
    QCOMPARE(f.engine.restarts, 1);
    QVERIFY(wait([&] { return f.find("try_again")->isEnabled(); }));
    f.click(f.find("try_again"));
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QCOMPARE(f.engine.questions[1].turns[0].text, QString("hello"));
    QCOMPARE(field_text(f), QString("next question"));
  }

  void a_link_asks_before_it_opens() {
    WindowFixture f;
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    f.engine.last()->finish("[read this](https://example.org/page)");
    QVERIFY(wait([&] { return f.idle() && f.find("answer_text"); }));
    QVERIFY(wait([&] {
      f.click(f.find("answer_text"), {20, 10});
      return f.find("link_question") != nullptr;
    }));
    QVERIFY(f.find("link_question")->width() > 200);
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return f.find("link_question") == nullptr; }));
  }

  void a_deleted_chat_comes_back() {
    WindowFixture f;
    f.type("hello");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    f.engine.last()->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.chat->chats()->count() == 1; }));
    f.chat->remove(f.chat->chat_id());
    QVERIFY(wait([&] { return f.chat->chats()->count() == 0 && f.find("toast_action"); }));
    f.click(f.find("toast_action"));
    QVERIFY(wait([&] { return f.chat->chats()->count() == 1; }));
  }

  void words_of_double_size_stay_inside() {
    WindowFixture f;
    f.window->resize(480, 520);
    for (int i = 0; i < 10; ++i) f.key(Qt::Key_Equal, Qt::ControlModifier);
    QQuickItem* field = f.find("composer_field");
    QVERIFY(wait([&] { return field->height() > 40 && f.window->width() == 480; }));
    for (const char* name : {"composer_field", "send_button"}) {
      QQuickItem* item = f.find(name);
      const QRectF place = item->mapRectToScene(item->boundingRect());
      QVERIFY(place.left() >= 0 && place.right() <= 480 && place.top() >= 0 && place.bottom() <= 520);
    }
    f.key(Qt::Key_0, Qt::ControlModifier);
  }

  void a_missing_model_shows_what_to_do() {
    WindowFixture f;
    f.engine.die({Error::Kind::not_found, "The model does not exist", "/nowhere", "Choose another file"});
    QVERIFY(f.wait_for("missing_model"));
    QVERIFY(!f.find("example"));
  }

  void keys_of_the_window() {
    WindowFixture f;
    f.type("first");
    f.key(Qt::Key_Return);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    f.engine.last()->finish("An answer.");
    QVERIFY(wait([&] { return f.idle() && f.kinds().contains("footer"); }));
    f.key(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(QGuiApplication::clipboard()->text(), QString("An answer."));
    f.key(Qt::Key_Up);
    QVERIFY(wait([&] { return f.chat->editing() != 0; }));
    QCOMPARE(field_text(f), QString("first"));
    f.key(Qt::Key_Escape);
    QCOMPARE(f.chat->editing(), MessageId{0});
    f.key(Qt::Key_R, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    f.engine.last()->finish("Another.");
    QVERIFY(wait([&] { return f.idle() && f.entry("footer")["siblings"].toInt() == 2; }));
    f.key(Qt::Key_Left, Qt::AltModifier);
    QVERIFY(wait([&] { return f.entry("text")["text"] == "An answer."; }));
    f.key(Qt::Key_K, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.find("chat_search")->hasActiveFocus(); }));
    f.key(Qt::Key_N, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.chat->empty() && f.find("composer_field")->hasActiveFocus(); }));
    const qreal wide = f.find("sidebar")->width();
    f.key(Qt::Key_B, Qt::ControlModifier);
    QVERIFY(wait([&] { return f.find("sidebar")->width() < wide; }));
  }

  void nothing_is_cut_in_a_small_window() {
    WindowFixture f;
    f.window->resize(480, 520);
    QVERIFY(wait([&] { return f.window->width() == 480 && !f.find("sidebar"); }));
    QQuickItem* field = f.find("composer_field");
    const QRectF place = field->mapRectToScene(field->boundingRect());
    QVERIFY(place.left() >= 0 && place.right() <= 480 && place.bottom() <= 520);
    f.key(Qt::Key_B, Qt::ControlModifier);
    QVERIFY(f.wait_for("sidebar"));
    f.key(Qt::Key_Escape);
    QVERIFY(wait([&] { return !f.find("sidebar"); }));
  }
};

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
