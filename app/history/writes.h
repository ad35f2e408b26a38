// Changes to the history. Each runs inside a transaction that the caller opened; an error means: roll back.
#pragma once
#include "app/history/database.h"
#include "app/history/history_store.h"

namespace lava::app {

Result<ChatId> insert_chat(Database&, const QString& title);
Result<void> write_title(Database&, ChatId, const QString& title);
Result<void> write_pinned(Database&, ChatId, bool pinned);
Result<void> write_binned(Database&, ChatId, bool binned);
Result<MessageId> insert_message(Database&, const Message&);
Result<bool> write_message(Database&, const Message&);  // true when the list of chats changed too
Result<void> write_leaf(Database&, ChatId, MessageId);
Result<void> end_interrupted_streams(Database&);  // after a crash: streaming -> stopped

}  // namespace lava::app
