// Questions to the history. Each runs on one read-only connection; a failure reads as "nothing there".
#pragma once
#include "app/history/database.h"
#include "app/history/history_store.h"

namespace lava::app {

std::vector<Chat> read_chats(Database&, const QString& words, bool binned);
std::optional<Chat> read_chat(Database&, ChatId);
std::vector<Message> read_branch(Database&, ChatId, bool streaming_is_stopped);
std::vector<MessageId> read_siblings(Database&, MessageId);
MessageId read_newest_leaf(Database&, MessageId);
std::vector<SearchHit> read_hits(Database&, const QString& words, int most);

QString role_name(Role);
QString state_name(MessageState);

}  // namespace lava::app
