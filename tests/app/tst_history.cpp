// The history of one user: the tree, search, undo, migrations, damaged and newer files, two instances.
#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>

#include "app/history/history_store.h"
#include "app/history/migrations.h"

using namespace lava::app;
using lava::Result;

namespace {

std::unique_ptr<HistoryStore> open_store(const QString& folder) {
  auto store = HistoryStore::open(folder);
  if (!store) qWarning("%s", store.error().message().c_str());
  return store ? std::move(*store) : nullptr;
}

Message message(ChatId chat, MessageId parent, Role role, const QString& text) {
  Message m;
  m.chat = chat;
  m.parent = parent;
  m.role = role;
  m.text = text;
  return m;
}

ChatId new_chat(HistoryStore& store, const QString& title) { return *store.create_chat(title).result(); }
MessageId add(HistoryStore& store, ChatId chat, MessageId parent, const QString& text, Role role = Role::user) {
  return *store.add_message(message(chat, parent, role, text)).result();
}

QStringList texts(const std::vector<Message>& branch) {
  QStringList list;
  for (const Message& m : branch) list << m.text;
  return list;
}

QStringList titles(const std::vector<Chat>& chats) {
  QStringList list;
  for (const Chat& c : chats) list << c.title;
  return list;
}

}  // namespace

class HistoryTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_{QDir::tempPath() + "/lava-hístory-XXXXXX"};
  int number_ = 0;
  QString fresh() { return folder_.filePath(QString::number(++number_)); }

 private slots:
  void a_message_reads_back_whole();
  void the_tree_has_branches();
  void search_finds_words();
  void deleting_can_be_undone();
  void wrong_ids_are_refused();
  void interrupted_answers_read_back_as_stopped();
  void a_second_instance_only_reads();
  void a_newer_file_is_only_read();
  void a_migration_keeps_everything_and_a_copy();
  void a_failed_migration_changes_nothing();
  void a_file_that_is_no_database();
  void flipped_bytes_end_in_read_only();
  void a_sound_file_passes_the_check();
  void a_sound_file_is_copied_once_a_day();
  void futures_are_ready_in_order();
};

void HistoryTest::a_message_reads_back_whole() {
  const QString folder = fresh();
  const QString hash(64, 'a');
  ChatId chat = 0;
  MessageId id = 0;
  {
    auto store = open_store(folder);
    QSignalSpy changed(store.get(), &HistoryStore::changed);
    chat = new_chat(*store, "Kätzchen");
    Message m = message(chat, 0, Role::assistant, QString::fromUtf8("Eine Katze 🐈 liegt hier."));
    m.attachments = {{hash, "kätzchen.png", "image/png", 640, 480}};
    m.boxes = {{"Katze", 1.5, 2, 300.25, 400, 5, 10, 0}};
    m.timings = {{"decode_ms", 12.5}};
    m.error = {{"what", "w"}, {"cause", "c"}};
    m.model = "default";
    m.state = MessageState::failed;
    id = *store->add_message(m).result();
    QTRY_COMPARE(changed.count(), 2);
  }
  auto store = open_store(folder);
  const auto branch = store->branch(chat);
  QCOMPARE(branch.size(), 1u);
  const Message& m = branch[0];
  QCOMPARE(m.id, id);
  QCOMPARE(m.text, QString::fromUtf8("Eine Katze 🐈 liegt hier."));
  QCOMPARE(m.role, Role::assistant);
  QCOMPARE(m.state, MessageState::failed);
  QCOMPARE(m.attachments.size(), 1u);
  QCOMPARE(m.attachments[0].name, QString("kätzchen.png"));
  QCOMPARE(m.attachments[0].height, 480);
  QCOMPARE(m.boxes.size(), 1u);
  QCOMPARE(m.boxes[0].x2, 300.25);
  QCOMPARE(m.boxes[0].end, 10);
  QCOMPARE(m.timings["decode_ms"].toDouble(), 12.5);
  QCOMPARE(m.error["cause"].toString(), QString("c"));
  QCOMPARE(m.model, QString("default"));
  QVERIFY(qAbs(m.created.secsTo(QDateTime::currentDateTimeUtc())) < 60);
  const auto read = store->chat(chat);
  QVERIFY(read);
  QCOMPARE(read->thumbnail, hash);
  QCOMPARE(read->current_leaf, id);
}

void HistoryTest::the_tree_has_branches() {
  auto store = open_store(fresh());
  const ChatId chat = new_chat(*store, "t");
  const auto q = add(*store, chat, 0, "question");
  const auto a1 = add(*store, chat, q, "answer 1", Role::assistant);
  const auto a2 = add(*store, chat, q, "answer 2", Role::assistant);
  const auto more = add(*store, chat, a2, "more");
  const auto edited = add(*store, chat, 0, "question, edited");
  QCOMPARE(store->siblings(a1), (std::vector<MessageId>{a1, a2}));
  QCOMPARE(store->siblings(q), (std::vector<MessageId>{q, edited}));
  QCOMPARE(texts(store->branch(chat)), QStringList{"question, edited"});
  QVERIFY(store->select_leaf(chat, more).result());
  QCOMPARE(texts(store->branch(chat)), (QStringList{"question", "answer 2", "more"}));
  QVERIFY(store->select_leaf(chat, a1).result());
  QCOMPARE(texts(store->branch(chat)), (QStringList{"question", "answer 1"}));
  QCOMPARE(store->newest_leaf(q), more);
  QCOMPARE(store->newest_leaf(a1), a1);
  const ChatId other = new_chat(*store, "other");
  QVERIFY(!store->select_leaf(other, a1).result());
  QVERIFY(store->branch(other).empty());
}

void HistoryTest::search_finds_words() {
  auto store = open_store(fresh());
  const ChatId first = new_chat(*store, "Holiday pictures");
  const ChatId second = new_chat(*store, "Work");
  const auto old_hit = add(*store, first, 0, "Where is the café with the \"blue\" door?");
  Message m = message(second, 0, Role::assistant, "A bluebird");
  m.state = MessageState::streaming;
  m.id = *store->add_message(m).result();
  QCOMPARE(titles(store->chats("blue")), QStringList{"Holiday pictures"});  // a streaming answer is not in the index yet
  m.text = "A bluebird on a wire";
  m.state = MessageState::complete;
  QVERIFY(store->update_message(m).result());
  QCOMPARE(titles(store->chats("blue")), (QStringList{"Work", "Holiday pictures"}));
  QCOMPARE(titles(store->chats("blue wir")), QStringList{"Work"});
  QCOMPARE(titles(store->chats("holi cafe")), QStringList{"Holiday pictures"});  // title and message, without the accent
  QVERIFY(store->chats("nothing").empty());
  for (const char* odd : {"\"", "blue\"", "a AND", "NEAR(", "*", "blue*", "title:x", "^", "-", "'; DROP TABLE chat"}) store->chats(odd);
  QCOMPARE(store->chats("  ").size(), 2u);
  QVERIFY(store->chats("\"*").empty());
  m.text = "A crow";
  QVERIFY(store->update_message(m).result());
  QVERIFY(store->chats("bluebird").empty());
  const auto hits = store->search("blu");
  QCOMPARE(hits.size(), 1u);
  QCOMPARE(hits[0].message, old_hit);
  QVERIFY(hits[0].snippet.contains(QChar(2) + QString("blue") + QChar(3)));
  QVERIFY(store->rename_chat(second, "Birds of blue").result());
  QCOMPARE(titles(store->chats("bird")), QStringList{"Birds of blue"});
}

void HistoryTest::deleting_can_be_undone() {
  auto store = open_store(fresh());
  const ChatId chat = new_chat(*store, "gone?");
  const auto leaf = add(*store, chat, 0, "words");
  QVERIFY(store->set_pinned(chat, true).result());
  QVERIFY(store->delete_chat(chat).result());
  QVERIFY(store->chats().empty());
  QVERIFY(store->chats("words").empty());
  QVERIFY(store->search("words").empty());
  QCOMPARE(store->bin().size(), 1u);
  QVERIFY(store->restore_chat(chat).result());
  QCOMPARE(store->chats().size(), 1u);
  QVERIFY(store->chats()[0].pinned);
  QCOMPARE(store->chats()[0].current_leaf, leaf);
  QCOMPARE(texts(store->branch(chat)), QStringList{"words"});
}

void HistoryTest::wrong_ids_are_refused() {
  auto store = open_store(fresh());
  const ChatId a = new_chat(*store, "a"), b = new_chat(*store, "b");
  const auto in_a = add(*store, a, 0, "x");
  QVERIFY(!store->rename_chat(99, "x").result());
  QVERIFY(!store->delete_chat(99).result());
  QVERIFY(!store->add_message(message(99, 0, Role::user, "x")).result());
  const auto wrong = store->add_message(message(b, in_a, Role::user, "x")).result();  // parent of another chat
  QVERIFY(!wrong);
  QCOMPARE(wrong.error().kind, lava::Error::Kind::not_found);
  Message unknown = message(a, 0, Role::user, "x");
  unknown.id = 99;
  QVERIFY(!store->update_message(unknown).result());
  QVERIFY(store->branch(99).empty());
  QVERIFY(store->siblings(99).empty());
  QVERIFY(!store->chat(99));
  QCOMPARE(texts(store->branch(a)), QStringList{"x"});
}

void HistoryTest::interrupted_answers_read_back_as_stopped() {
  const QString folder = fresh();
  ChatId chat = 0;
  {
    auto store = open_store(folder);
    chat = new_chat(*store, "t");
    Message m = message(chat, 0, Role::assistant, "half an ans");
    m.state = MessageState::streaming;
    QVERIFY(store->add_message(m).result());
    QCOMPARE(store->branch(chat)[0].state, MessageState::streaming);
  }
  auto store = open_store(folder);
  QCOMPARE(store->branch(chat)[0].state, MessageState::stopped);
  QCOMPARE(store->chats("half").size(), 1u);
}

void HistoryTest::a_second_instance_only_reads() {
  const QString folder = fresh();
  auto first = open_store(folder);
  const ChatId chat = new_chat(*first, "mine");
  auto second = open_store(folder);
  QVERIFY(!first->read_only());
  QVERIFY(second->read_only());
  QVERIFY(second->read_only_reason().contains("Another Lavascope"));
  QCOMPARE(titles(second->chats()), QStringList{"mine"});
  const auto refused = second->rename_chat(chat, "yours").result();
  QVERIFY(!refused);
  QVERIFY(QString::fromStdString(refused.error().message()).contains("Another Lavascope"));
  QVERIFY(first->rename_chat(chat, "still mine").result());
  QCOMPARE(titles(second->chats()), QStringList{"still mine"});
  first.reset();
  QVERIFY(!open_store(folder)->read_only());  // the lock goes with its holder
}

void HistoryTest::a_newer_file_is_only_read() {
  const QString folder = fresh();
  {
    auto store = open_store(folder);
    new_chat(*store, "from the future");
  }
  {
    auto database = Database::open(folder + "/history.sqlite", Access::read_write);
    QVERIFY(database->execute("PRAGMA user_version = 9999"));
  }
  auto store = open_store(folder);
  QVERIFY(store->read_only());
  QVERIFY(store->read_only_reason().contains("newer"));
  QCOMPARE(titles(store->chats()), QStringList{"from the future"});
  QVERIFY(!store->create_chat("x").result());
}

void HistoryTest::a_migration_keeps_everything_and_a_copy() {
  const QString folder = fresh();
  {
    auto store = open_store(folder);
    add(*store, new_chat(*store, "old"), 0, "kept");
  }
  std::vector<std::string_view> steps(migration_texts().begin(), migration_texts().end());
  const auto now = static_cast<qint64>(steps.size());
  steps.push_back("ALTER TABLE chat ADD COLUMN folder TEXT NOT NULL DEFAULT 'none'; UPDATE chat SET folder = 'work';");
  auto database = Database::open(folder + "/history.sqlite", Access::read_write);
  QVERIFY(database);
  const auto done = migrate(*database, steps, folder + "/backups");
  QVERIFY2(done, done ? "" : done.error().message().c_str());
  QCOMPARE(*database->integer("PRAGMA user_version"), now + 1);
  QCOMPARE(*database->integer("SELECT count(*) FROM chat WHERE folder = 'work'"), 1);
  QCOMPARE(*database->integer("SELECT count(*) FROM message WHERE text = 'kept'"), 1);
  const QStringList copies = QDir(folder + "/backups").entryList({"*.sqlite"});
  QCOMPARE(copies.size(), 1);
  auto copy = Database::open(folder + "/backups/" + copies[0], Access::read_only);
  QCOMPARE(*copy->integer("PRAGMA user_version"), now);
  QCOMPARE(*copy->integer("SELECT count(*) FROM message WHERE text = 'kept'"), 1);
  QVERIFY(migrate(*database, steps, folder + "/backups"));  // a second run has nothing to do
  QCOMPARE(QDir(folder + "/backups").entryList({"*.sqlite"}).size(), 1);
}

void HistoryTest::a_failed_migration_changes_nothing() {
  const QString folder = fresh();
  open_store(folder).reset();
  std::vector<std::string_view> steps(migration_texts().begin(), migration_texts().end());
  steps.push_back("ALTER TABLE chat ADD COLUMN folder TEXT; INSERT INTO no_such_table VALUES (1);");
  auto database = Database::open(folder + "/history.sqlite", Access::read_write);
  QVERIFY(!migrate(*database, steps, folder + "/backups"));
  QCOMPARE(*database->integer("PRAGMA user_version"), static_cast<qint64>(steps.size()) - 1);
  QCOMPARE(*database->integer("SELECT count(*) FROM pragma_table_info('chat') WHERE name = 'folder'"), 0);
}

void HistoryTest::a_file_that_is_no_database() {
  const QString folder = fresh();
  QDir().mkpath(folder);
  QFile file(folder + "/history.sqlite");
  QVERIFY(file.open(QFile::WriteOnly));
  const QByteArray content = QByteArray("my shopping list\n").repeated(1000);
  file.write(content);
  file.close();
  auto store = open_store(folder);
  QVERIFY(store);
  QSignalSpy checked(store.get(), &HistoryStore::check_finished);
  QVERIFY(store->read_only());
  QVERIFY(checked.wait());
  QCOMPARE(checked[0][0].toBool(), false);
  QVERIFY(checked[0][1].toString().contains("damaged"));
  QVERIFY(store->chats().empty());
  QVERIFY(!store->create_chat("x").result());
  store.reset();
  QVERIFY(file.open(QFile::ReadOnly));
  QCOMPARE(file.readAll(), content);  // nothing was written over it
}

void HistoryTest::flipped_bytes_end_in_read_only() {
  const QString folder = fresh();
  {
    auto store = open_store(folder);
    const ChatId chat = new_chat(*store, "t");
    MessageId parent = 0;
    for (int i = 0; i < 300; ++i) parent = add(*store, chat, parent, QString("message %1 with some words to fill pages").arg(i));
  }
  QFile file(folder + "/history.sqlite");
  QVERIFY(file.open(QFile::ReadWrite));
  QVERIFY(file.size() > 5 * 4096);
  for (qint64 page = 4; page * 4096 < file.size(); ++page) {  // the head of each page from the fifth on
    file.seek(page * 4096);
    file.write(QByteArray(64, '\x5a'));
  }
  file.close();
  auto store = open_store(folder);
  QVERIFY(store);
  QSignalSpy checked(store.get(), &HistoryStore::check_finished);
  QVERIFY(checked.wait());
  QCOMPARE(checked[0][0].toBool(), false);
  QVERIFY(!checked[0][1].toString().isEmpty());
  QVERIFY(store->read_only());
  const auto refused = store->create_chat("x").result();
  QVERIFY(!refused);
  QVERIFY(QString::fromStdString(refused.error().message()).contains("damaged"));
  store->branch(1);  // reads what it can, and does not crash
}

void HistoryTest::a_sound_file_passes_the_check() {
  auto store = open_store(fresh());
  QSignalSpy checked(store.get(), &HistoryStore::check_finished);
  QVERIFY(checked.wait());
  QCOMPARE(checked[0][0].toBool(), true);
  QVERIFY(!store->read_only());
}

void HistoryTest::a_sound_file_is_copied_once_a_day() {
  const QString folder = fresh();
  QDir backups(folder + "/backups");
  QVERIFY(backups.mkpath("."));
  for (int day = 1; day <= 7; ++day)
    QVERIFY(QFile(backups.filePath(QString("history-day-2020010%1.sqlite").arg(day))).open(QFile::WriteOnly));
  for (int i = 0; i < 2; ++i) {
    auto store = open_store(folder);
    new_chat(*store, QString("chat %1").arg(i));
    QSignalSpy checked(store.get(), &HistoryStore::check_finished);
    QVERIFY(checked.wait());
    QVERIFY(checked[0][0].toBool());
  }
  const QStringList copies = backups.entryList(QDir::Files, QDir::Name);
  QCOMPARE(copies.size(), 5);
  QCOMPARE(copies.first(), QString("history-day-20200104.sqlite"));
  auto copy = Database::open(backups.filePath(copies.last()), Access::read_only);
  QCOMPARE(*copy->integer("SELECT count(*) FROM chat"), 1);  // of the first run; the second found it there
  QCOMPARE(*copy->quick_check(), QString("ok"));
}

void HistoryTest::futures_are_ready_in_order() {
  const QString folder = fresh();
  ChatId chat = 0;
  std::vector<QFuture<Result<MessageId>>> futures;
  {
    auto store = open_store(folder);
    chat = new_chat(*store, "t");
    for (int i = 0; i < 200; ++i) futures.push_back(store->add_message(message(chat, 0, Role::user, QString::number(i))));
  }  // closing finishes what is queued
  MessageId last = 0;
  for (auto& future : futures) {
    QVERIFY(future.isFinished());
    QVERIFY(*future.result() > last);
    last = *future.result();
  }
  QCOMPARE(open_store(folder)->siblings(last).size(), 200u);
}

QTEST_GUILESS_MAIN(HistoryTest)
#include "tst_history.moc"
