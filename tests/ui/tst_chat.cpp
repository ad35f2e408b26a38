#include <QFile>
#include <QSignalSpy>
#include <QTest>

#include "tests/support/ui/chat_fixture.h"
#include "tests/support/ui/wait.h"

using namespace lava;
using namespace lava::app;
using lava::test::ChatFixture;
using lava::test::FakeAsking;

namespace {

Error gone() {
  return {Error::Kind::io, "The engine stopped in the middle of the answer", "signal 9", "Restart the engine"};
}

using lava::test::wait;

}  // namespace

class TestChat : public QObject {
  Q_OBJECT

 private slots:
  void a_question_is_saved_asked_streamed_and_kept() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Where is the cat?");
    QVERIFY(asking);
    QVERIFY(f.chat->busy());
    QCOMPARE(f.chat->title(), QString("Where is the cat?"));
    QCOMPARE(f.engine.questions[0].turns.size(), size_t{1});
    QCOMPARE(f.engine.questions[0].turns[0].text, QString("Where is the cat?"));
    asking->reading("picture", 1, 3);
    QVERIFY(wait([&] { return f.entry("phase")["text"] == "Reading image 2 of 3"; }));
    asking->say("On the");
    QVERIFY(wait([&] { return f.entry("text")["text"] == "On the"; }));
    asking->say(" mat.");
    asking->finish("On the mat.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2 && f.stored()[1].state == MessageState::complete; }));
    QCOMPARE(f.kinds(), (QStringList{"user", "head", "text", "footer"}));
    QVERIFY(f.entry("footer")["timings"].toString().contains("38 tok/s"));
    QCOMPARE(f.stored()[1].text, QString("On the mat."));
    QVERIFY(f.chat->composer()->text().isEmpty());
  }

  void text_is_committed_while_it_streams() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Tell");
    QVERIFY(asking);
    asking->say("Half an answer");
    QVERIFY(wait([&] { return f.stored().size() == 2 && f.stored()[1].text == "Half an answer"; }));
    QVERIFY(f.chat->busy());
  }

  void closing_the_program_keeps_what_was_written() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Tell me");
    QVERIFY(asking);
    const ChatId chat = f.chat->chat_id();
    asking->say("Once upon");
    f.reopen();
    QVERIFY(wait([&] { return f.stored(chat).size() == 2; }));
    QCOMPARE(f.stored(chat)[1].text, QString("Once upon"));
    QCOMPARE(f.stored(chat)[1].state, MessageState::stopped);
  }

  void stop_keeps_what_was_written() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Tell me");
    QVERIFY(asking);
    asking->say("Once upon");
    f.chat->stop();
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2 && f.stored()[1].state == MessageState::stopped; }));
    QCOMPARE(f.stored()[1].text, QString("Once upon"));
    QVERIFY(f.entry("footer")["stopped"].toBool());
  }

  void regenerate_makes_a_sibling_and_siblings_can_be_switched() {
    ChatFixture f;
    f.ask("Colour?")->finish("Red.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2; }));
    const MessageId first = f.stored()[1].id;
    f.chat->regenerate(0);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QVERIFY(f.engine.questions[1].options.temperature > 0);
    f.engine.last()->finish("Blue.");
    QVERIFY(wait([&] { return f.idle() && f.entry("footer")["siblings"].toInt() == 2; }));
    QCOMPARE(f.entry("footer")["sibling"].toInt(), 2);
    QCOMPARE(f.stored()[1].text, QString("Blue."));
    f.chat->select_sibling(0, -1);
    QVERIFY(wait([&] { return f.entry("text")["text"] == "Red."; }));
    QCOMPARE(f.stored()[1].id, first);
  }

  void switching_back_shows_what_followed() {
    ChatFixture f;
    f.ask("One")->finish("A.");
    QVERIFY(wait([&] { return f.idle(); }));
    f.ask("Two")->finish("B.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 4; }));
    f.chat->regenerate(f.stored()[1].id);
    QVERIFY(wait([&] { return f.engine.questions.size() == 3; }));
    f.engine.last()->finish("A2.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2; }));
    f.chat->select_sibling(f.stored()[1].id, -1);
    QVERIFY(wait([&] { return f.stored().size() == 4 && f.entry("text")["text"] == "B."; }));
  }

  void edit_makes_a_branch() {
    ChatFixture f;
    f.ask("Wher is it?")->finish("Here.");
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2; }));
    f.chat->composer()->set_text("typed meanwhile");
    f.chat->begin_edit(0);
    QCOMPARE(f.chat->composer()->text(), QString("Wher is it?"));
    FakeAsking* asking = f.ask("Where is it?");
    QVERIFY(asking);
    QCOMPARE(f.chat->composer()->text(), QString("typed meanwhile"));
    QCOMPARE(f.engine.questions[1].turns.size(), size_t{1});
    asking->finish("There.");
    QVERIFY(wait([&] { return f.idle() && f.entry("user")["siblings"].toInt() == 2; }));
    QCOMPARE(f.stored()[0].text, QString("Where is it?"));
    QCOMPARE(f.entry("user")["sibling"].toInt(), 2);
  }

  void an_engine_that_dies_gives_a_card_and_loses_nothing() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Tell me");
    QVERIFY(asking);
    asking->say("Once upon");
    asking->break_off(gone());
    f.engine.die(gone());
    QVERIFY(wait([&] { return f.idle() && f.stored().size() == 2 && f.stored()[1].state == MessageState::stopped; }));
    QCOMPARE(f.kinds(), (QStringList{"user", "head", "text", "error", "footer"}));
    QCOMPARE(f.stored()[1].text, QString("Once upon"));
    QCOMPARE(f.entry("error")["what"].toString(), QString("The engine stopped in the middle of the answer"));
    f.engine.restart();
    f.chat->try_again(0);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    QCOMPARE(f.engine.questions[1].turns.size(), size_t{1});
    f.engine.last()->finish("Once upon a time.");
    QVERIFY(wait([&] { return f.idle() && f.stored()[1].state == MessageState::complete; }));
  }

  void a_question_waits_for_the_model() {
    ChatFixture f;
    f.engine.set_state(EngineLink::State::loading, 0.42);
    f.chat->composer()->set_text("Hello?");
    f.chat->send();
    QVERIFY(wait([&] { return f.entry("phase")["text"] == "Loading model 42 %"; }));
    QVERIFY(f.engine.questions.empty());
    f.engine.set_state(EngineLink::State::ready, 1);
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
  }

  void a_turn_goes_on_in_its_own_chat() {
    ChatFixture f;
    FakeAsking* first = f.ask("First chat");
    QVERIFY(first);
    QVERIFY(wait([&] { return f.chat->chat_id() != 0; }));
    const ChatId one = f.chat->chat_id();
    f.chat->new_chat();
    QVERIFY(!f.chat->busy());
    FakeAsking* second = f.ask("Second chat");
    QVERIFY(second && second != first);
    const ChatId two = f.chat->chat_id();
    QVERIFY(one != two);
    first->say("For the first");
    second->say("For the second");
    QVERIFY(wait([&] { return f.entry("text")["text"] == "For the second"; }));
    f.chat->open_chat(one);
    QVERIFY(wait([&] { return f.entry("text")["text"] == "For the first"; }));
    QVERIFY(f.chat->busy());
    second->finish("For the second, whole.");
    QVERIFY(wait([&] { return f.stored(two).size() == 2 && f.stored(two)[1].state == MessageState::complete; }));
    QVERIFY(f.chat->busy());
    first->finish("For the first, whole.");
    QVERIFY(wait([&] { return f.idle() && f.stored(one)[1].text == "For the first, whole."; }));
    QCOMPARE(f.stored(two)[1].text, QString("For the second, whole."));
  }

  void a_failure_in_another_chat_leaves_a_mark() {
    ChatFixture f;
    FakeAsking* first = f.ask("First chat");
    QVERIFY(first);
    const ChatId one = f.chat->chat_id();
    f.chat->new_chat();
    first->break_off(gone());
    ChatList* chats = f.chat->chats();
    QVERIFY(wait([&] { return chats->count() == 1 && chats->data(chats->index(0), ChatList::StateRole) == "error"; }));
    f.chat->open_chat(one);
    QVERIFY(wait([&] { return f.kinds().contains("error"); }));
    QCOMPARE(chats->data(chats->index(0), ChatList::StateRole).toString(), QString());
  }

  void drafts_are_kept_per_chat_and_over_a_restart() {
    ChatFixture f;
    f.ask("A chat")->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.chat->chats()->count() == 1; }));
    const ChatId one = f.chat->chat_id();
    f.chat->composer()->set_text("unsent in one");
    f.chat->new_chat();
    QVERIFY(f.chat->composer()->text().isEmpty());
    f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture())});
    QVERIFY(wait([&] { return f.chat->composer()->draft().pictures.size() == 1; }));
    f.chat->composer()->set_text("unsent in a new one");
    f.reopen();
    QVERIFY(wait([&] { return f.chat->composer()->text() == "unsent in a new one"; }));
    QCOMPARE(f.chat->composer()->draft().pictures.size(), size_t{1});
    f.chat->open_chat(one);
    QCOMPARE(f.chat->composer()->text(), QString("unsent in one"));
  }

  void a_picture_that_loads_while_one_leaves_is_kept_for_its_chat() {
    ChatFixture f;
    f.ask("A chat")->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.chat->chats()->count() == 1; }));
    const ChatId one = f.chat->chat_id();
    f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture())});
    f.chat->new_chat();
    QCOMPARE(f.chat->composer()->count(), 0);
    QVERIFY(wait([&] {
      f.chat->open_chat(one);
      const bool there = f.chat->composer()->draft().pictures.size() == 1;
      f.chat->new_chat();
      return there;
    }));
  }

  void pictures_load_fail_move_and_go_away() {
    ChatFixture f;
    Composer* composer = f.chat->composer();
    QFile broken(f.folder.filePath("broken.png"));
    QVERIFY(broken.open(QIODevice::WriteOnly));
    broken.write("not a picture");
    broken.close();
    composer->set_text("What?");
    composer->add_files({QUrl::fromLocalFile(ChatFixture::picture()), QUrl::fromLocalFile(broken.fileName())});
    QCOMPARE(composer->count(), 2);
    const auto state = [&](int chip) { return composer->data(composer->index(chip), Composer::StateRole).toString(); };
    QVERIFY(wait([&] { return state(0) == "ready" && state(1) == "failed"; }));
    QVERIFY(!composer->data(composer->index(1), Composer::ReasonRole).toString().isEmpty());
    QCOMPARE(composer->data(composer->index(0), Composer::TokensRole).toInt(), 29);
    QVERIFY(!composer->ready());
    composer->move(0, 1);
    QCOMPARE(state(0), QString("failed"));
    composer->remove(0);
    QVERIFY(composer->ready());
    f.chat->send();
    QVERIFY(wait([&] { return f.engine.questions.size() == 1; }));
    QCOMPARE(f.engine.questions[0].turns[0].pictures.size(), size_t{1});
  }

  void a_lost_device_repeats_the_turn_once() {
    ChatFixture f;
    FakeAsking* first = f.ask("What is it?");
    QVERIFY(first);
    first->say("Half an");
    const Error lost{Error::Kind::device_lost, "The device stopped working", "", ""};
    first->break_off(lost);
    QVERIFY(f.chat->busy());
    QCOMPARE(f.engine.questions.size(), size_t{1});  // the engine that still answers is about to end
    f.engine.set_state(EngineLink::State::starting);
    f.engine.set_state(EngineLink::State::ready);
    QVERIFY(wait([&] { return f.engine.questions.size() == 2; }));
    f.engine.last()->finish("A cat.");
    QVERIFY(wait([&] { return f.idle(); }));
    QCOMPARE(f.entry("text")["text"].toString(), QString("A cat."));
    FakeAsking* third = f.ask("And now?");
    third->break_off(lost);
    f.engine.set_state(EngineLink::State::starting);
    f.engine.set_state(EngineLink::State::ready);
    QVERIFY(wait([&] { return f.engine.questions.size() == 4; }));
    f.engine.last()->break_off(lost);  // a second time it is told
    QVERIFY(wait([&] { return f.idle(); }));
    QCOMPARE(f.engine.questions.size(), size_t{4});
  }

  void boxes_reach_words_and_pictures() {
    ChatFixture f;
    f.chat->composer()->add_files({QUrl::fromLocalFile(ChatFixture::picture())});
    QVERIFY(wait([&] { return f.chat->composer()->draft().pictures.size() == 1; }));
    FakeAsking* asking = f.ask("Where is the cat?");
    QVERIFY(asking);
    GroundedBox cat;
    cat.label = "cat";
    cat.start = 2;
    cat.end = 5;
    cat.x2 = cat.y2 = 100;
    asking->finish("A cat sits.", {cat});
    QVERIFY(wait([&] { return f.idle() && !f.entry("text")["phrases"].toList().isEmpty(); }));
    const QVariantMap picture = f.entry("user")["pictures"].toList().value(0).toMap();
    QCOMPARE(picture["boxes"].toList().size(), 1);
    QCOMPARE(picture["boxes"].toList()[0].toMap()["label"].toString(), QString("cat"));
    QCOMPARE(f.chat->transcript()->pictures().size(), 1);
  }

  void a_history_that_cannot_be_written_gives_the_text_back() {
    ChatFixture f;
    auto second = HistoryStore::open(f.folder.path());  // the first holds the folder: this one only reads
    QVERIFY(second && (*second)->read_only());
    ChatController chat(**second, f.engine, *f.media, f.folder.filePath("other-drafts.json"));
    QSignalSpy problems(&chat, &ChatController::problem);
    chat.composer()->set_text("Do not lose me");
    chat.send();
    QVERIFY(wait([&] { return problems.size() == 1; }));
    QCOMPARE(chat.composer()->text(), QString("Do not lose me"));
    QVERIFY(!chat.busy());
    QVERIFY(chat.empty());
  }

  void deleting_can_be_undone() {
    ChatFixture f;
    f.ask("A chat")->finish("Yes.");
    QVERIFY(wait([&] { return f.idle() && f.chat->chats()->count() == 1; }));
    const ChatId id = f.chat->chat_id();
    QSignalSpy removed(f.chat.get(), &ChatController::removed);
    f.chat->remove(id);
    QVERIFY(wait([&] { return removed.size() == 1 && f.chat->chats()->count() == 0; }));
    QCOMPARE(f.chat->chat_id(), ChatId{0});
    f.chat->undo_remove(id);
    QVERIFY(wait([&] { return f.chat->chats()->count() == 1; }));
  }

  void chats_are_searched_pinned_and_renamed() {
    ChatFixture f;
    f.ask("Where is the zebra?")->finish("Far away.");
    QVERIFY(wait([&] { return f.idle(); }));
    f.chat->new_chat();
    f.ask("Count the cups")->finish("Two.");
    ChatList* chats = f.chat->chats();
    QVERIFY(wait([&] { return f.idle() && chats->count() == 2; }));
    chats->set_search("zebra");
    QVERIFY(wait([&] { return chats->count() == 1; }));
    const ChatId zebra = chats->data(chats->index(0), ChatList::IdRole).toLongLong();
    chats->set_search("");
    QVERIFY(wait([&] { return chats->count() == 2; }));
    f.chat->set_pinned(zebra, true);
    QVERIFY(wait([&] { return chats->data(chats->index(0), ChatList::GroupRole) == "Pinned"; }));
    f.chat->rename(zebra, "  Stripes  ");
    QVERIFY(wait([&] { return chats->data(chats->index(0), ChatList::TitleRole) == "Stripes"; }));
  }

  void a_streaming_answer_changes_only_its_last_rows() {
    ChatFixture f;
    FakeAsking* asking = f.ask("Long");
    QVERIFY(asking);
    asking->say("First paragraph.\n\nSecond");
    QVERIFY(wait([&] { return f.kinds() == (QStringList{"user", "head", "text", "text", "phase"}); }));
    QSignalSpy changed(f.chat->transcript(), &QAbstractItemModel::dataChanged), reset(f.chat->transcript(), &QAbstractItemModel::modelReset);
    asking->say(" goes on.");
    QVERIFY(wait([&] { return f.entry("text")["text"] == "Second goes on."; }));
    QCOMPARE(reset.size(), 0);
    for (const auto& change : changed) QCOMPARE(change[0].toModelIndex().row(), 1);
  }
};

QTEST_GUILESS_MAIN(TestChat)
#include "tst_chat.moc"
