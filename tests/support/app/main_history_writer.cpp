// Streams answers into a history without end and reports each commit on standard output, until it is killed or a write fails.
// Lines: "C chat" a chat, "M id parent" a message, "U id length" its text grew to so many characters, "E sentence" a failed write.
#include <QCoreApplication>
#include <cstdio>

#include "app/history/history_store.h"

using namespace lava::app;

namespace {

void say(const QString& line) {
  std::fputs((line + "\n").toUtf8().constData(), stdout);
  std::fflush(stdout);
}

template <class T>
bool failed(const lava::Result<T>& result) {
  if (result) return false;
  say("E " + QString::fromStdString(result.error().message()));
  return true;
}

// One turn: a question, then an answer that grows word by word. False when a write failed.
bool turn(HistoryStore& store, ChatId chat, MessageId& leaf, int words) {
  Message question;
  question.chat = chat;
  question.parent = leaf;
  question.text = "What is in this picture?";
  const auto asked = store.add_message(question).result();
  if (failed(asked)) return false;
  say(QString("M %1 %2").arg(*asked).arg(leaf));
  Message answer;
  answer.chat = chat;
  answer.parent = *asked;
  answer.role = Role::assistant;
  answer.state = MessageState::streaming;
  const auto begun = store.add_message(answer).result();
  if (failed(begun)) return false;
  say(QString("M %1 %2").arg(*begun).arg(*asked));
  answer.id = leaf = *begun;
  for (int i = 0; i < words; ++i) {
    answer.text += "something yellow on a wooden table, ";
    if (i + 1 == words) answer.state = MessageState::complete;
    if (failed(store.update_message(answer).result())) return false;
    say(QString("U %1 %2").arg(answer.id).arg(answer.text.size()));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  QCoreApplication application(argc, argv);
  auto store = HistoryStore::open(QString::fromLocal8Bit(argv[1]));
  if (failed(store)) return 1;
  while (true) {
    const auto chat = (*store)->create_chat("A chat about a picture").result();
    if (failed(chat)) break;
    say(QString("C %1").arg(*chat));
    MessageId leaf = 0;
    for (int i = 0; i < 5; ++i)
      if (!turn(**store, *chat, leaf, 12)) goto full;
  }
full:
  // The disk is full: what was there is still read, and the program goes on.
  say(QString("R %1").arg((*store)->chats().size()));
  return 2;
}
