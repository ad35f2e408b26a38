// What is attached is looked at while the question is still being written.
#include <QSignalSpy>
#include <QTest>

#include "tests/support/ui/chat_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::ChatFixture;
using lava::test::FakeAsking;
using lava::test::wait;

namespace {

QList<QUrl> pictures(const QStringList& names) {
  QList<QUrl> files;
  for (const QString& name : names) files.push_back(QUrl::fromLocalFile(ChatFixture::picture().replace("chelsea", name)));
  return files;
}

bool attach(ChatFixture& f, const QStringList& names) {
  const size_t before = f.chat->composer()->draft().pictures.size();
  f.chat->composer()->add_files(pictures(names));
  return wait([&] { return f.chat->composer()->draft().pictures.size() == before + static_cast<size_t>(names.size()); });
}

bool prepared(const ChatFixture& f, size_t times) {
  return wait([&] { return f.engine.preparations.size() >= times; }) && f.engine.preparations.size() == times;
}

// Long enough for whatever should not happen.
void rest() { QTest::qWait(400); }

}  // namespace

class TestLookAhead : public QObject {
  Q_OBJECT

 private slots:
  void pictures_dropped_together_are_looked_at_once() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea", "coffee", "scene0"}));
    QVERIFY(prepared(f, 1));
    const auto& turns = f.engine.preparations[0].turns;
    QCOMPARE(turns.size(), size_t{1});
    QCOMPARE(turns[0].pictures.size(), size_t{3});
    QVERIFY(turns[0].text.isEmpty());
    f.chat->composer()->set_text("What is");
    f.chat->composer()->set_text("What is it?");
    rest();
    QCOMPARE(f.engine.preparations.size(), size_t{1});
    QVERIFY(f.engine.preparations[0].preparing);
  }

  void removing_the_picture_stops_it() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea", "coffee"}));
    QVERIFY(prepared(f, 1));
    f.chat->composer()->remove(0);
    QVERIFY(prepared(f, 2));
    QVERIFY(!f.engine.preparations[0].preparing);
    QCOMPARE(f.engine.preparations[1].turns[0].pictures.size(), size_t{1});
    f.chat->composer()->remove(0);
    QVERIFY(wait([&] { return !f.engine.preparations[1].preparing; }));
    rest();
    QCOMPARE(f.engine.preparations.size(), size_t{2});
  }

  void another_order_is_another_question() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea", "coffee"}));
    QVERIFY(prepared(f, 1));
    f.chat->composer()->move(0, 1);
    QVERIFY(prepared(f, 2));
    QCOMPARE(f.engine.preparations[1].turns[0].pictures[0].name, QString("coffee.png"));
  }

  void the_question_lets_it_go_on() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea"}));
    QVERIFY(prepared(f, 1));
    FakeAsking* asking = f.ask("Where is the cat?");
    QVERIFY(asking);
    rest();
    QVERIFY(f.engine.preparations[0].preparing);  // the engine knows what it is for
    AskTurn asked = f.engine.questions[0].turns[0];
    QCOMPARE(asked.pictures[0].sha256, f.engine.preparations[0].turns[0].pictures[0].sha256);
    emit f.engine.preparations[0].preparing->done({});
    QVERIFY(wait([&] { return !f.engine.preparations[0].preparing; }));
    asking->finish("There.");
    QVERIFY(wait([&] { return f.idle(); }));
    rest();
    QCOMPARE(f.engine.preparations.size(), size_t{1});
  }

  void the_conversation_so_far_comes_before_it() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea"}));
    f.ask("What is it?")->finish("A cat.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2; }));
    QVERIFY(attach(f, {"coffee"}));
    QVERIFY(wait([&] { return !f.engine.preparations.empty() && f.engine.preparations.back().turns.size() == 3; }));
    const auto turns = f.engine.preparations.back().turns;
    QCOMPARE(turns[0].text, QString("What is it?"));
    QCOMPARE(turns[0].pictures[0].name, QString("chelsea.png"));
    QCOMPARE(turns[1].text, QString("A cat."));
    QVERIFY(turns[2].text.isEmpty());
    QVERIFY(f.ask("And this?"));
    const auto& asked = f.engine.questions.back().turns;
    QCOMPARE(asked.size(), turns.size());
    QCOMPARE(asked[1].text, turns[1].text);
    QCOMPARE(asked[2].pictures[0].sha256, turns[2].pictures[0].sha256);
  }

  void a_picture_attached_during_an_answer_waits_for_its_end() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Tell me");
    QVERIFY(asking);
    asking->say("Once");
    QVERIFY(attach(f, {"chelsea"}));
    rest();
    QVERIFY(f.engine.preparations.empty());
    asking->finish("Once upon a time.");
    QVERIFY(prepared(f, 1));
    QCOMPARE(f.engine.preparations[0].turns.size(), size_t{3});
    QCOMPARE(f.engine.preparations[0].turns[1].text, QString("Once upon a time."));
  }

  void another_model_looks_again() {
    ChatFixture f;
    QVERIFY(attach(f, {"chelsea"}));
    QVERIFY(prepared(f, 1));
    f.engine.use_model("/another/model");
    QVERIFY(prepared(f, 2));
    QVERIFY(!f.engine.preparations[0].preparing);
    f.engine.die({Error::Kind::io, "The engine stopped", "", ""});
    QVERIFY(!f.engine.preparations[1].preparing);
    rest();
    QCOMPARE(f.engine.preparations.size(), size_t{2});
    f.engine.restart();
    QVERIFY(prepared(f, 3));
  }

  void a_model_that_loads_or_cannot_see_is_not_asked() {
    ChatFixture f;
    f.engine.set_state(EngineLink::State::loading, 0.5);
    QVERIFY(attach(f, {"chelsea"}));
    rest();
    QVERIFY(f.engine.preparations.empty());
    f.engine.sees = false;
    f.engine.set_state(EngineLink::State::ready, 1);
    rest();
    QVERIFY(f.engine.preparations.empty());
    f.engine.sees = true;
    f.engine.restart();
    QVERIFY(prepared(f, 1));
  }

  void another_chat_stops_it_and_coming_back_looks_again() {
    ChatFixture f;
    f.ask("A chat")->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.chat->chats()->count() == 1; }));
    const ChatId one = f.chat->chat_id();
    QVERIFY(attach(f, {"chelsea"}));
    QVERIFY(prepared(f, 1));
    f.chat->new_chat();
    QVERIFY(wait([&] { return !f.engine.preparations[0].preparing; }));
    f.chat->open_chat(one);
    QVERIFY(prepared(f, 2));
    QCOMPARE(f.engine.preparations[1].turns.size(), size_t{3});
  }

  void an_edited_question_follows_what_was_before_it() {
    ChatFixture f;
    f.ask("First")->finish("A.");
    QVERIFY(wait([&] { return f.idle(); }));
    f.ask("Second")->finish("B.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    f.chat->begin_edit(0);
    QVERIFY(attach(f, {"chelsea"}));
    QVERIFY(prepared(f, 1));
    const auto& turns = f.engine.preparations[0].turns;
    QCOMPARE(turns.size(), size_t{3});
    QCOMPARE(turns[1].text, QString("A."));
    QVERIFY(turns[2].text.isEmpty());
  }

  void nobody_is_told_of_a_failure() {
    ChatFixture f;
    QSignalSpy problems(f.chat.get(), &ChatController::problem);
    QVERIFY(attach(f, {"chelsea"}));
    QVERIFY(prepared(f, 1));
    emit f.engine.preparations[0].preparing->failed({Error::Kind::internal, "It broke", "because", "Mend it"});
    QVERIFY(wait([&] { return !f.engine.preparations[0].preparing; }));
    rest();
    QCOMPARE(f.engine.preparations.size(), size_t{1});  // nor is it tried again for the same
    QCOMPARE(problems.size(), 0);
    QVERIFY(f.chat->composer()->problem().isEmpty());
    FakeAsking* asking = f.ask("Where is the cat?");
    QVERIFY(asking);
    asking->finish("There.");
    QVERIFY(wait([&] { return f.idle() && !f.kinds().contains("error"); }));
  }
};

QTEST_GUILESS_MAIN(TestLookAhead)
#include "tst_look_ahead.moc"
