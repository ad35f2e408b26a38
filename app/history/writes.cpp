#include "app/history/writes.h"

#include <QJsonArray>
#include <QJsonDocument>

#include "app/history/reads.h"

namespace lava::app {
namespace {

qint64 now() { return QDateTime::currentMSecsSinceEpoch(); }

QString json_text(const QJsonObject& object) { return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact)); }

QString json_text(const std::vector<GroundedBox>& boxes) {
  QJsonArray array;
  for (const GroundedBox& b : boxes)
    array.append(QJsonObject{{"label", b.label},
                             {"x1", b.x1},
                             {"y1", b.y1},
                             {"x2", b.x2},
                             {"y2", b.y2},
                             {"start", b.start},
                             {"end", b.end},
                             {"mark_start", b.mark_start},
                             {"mark_end", b.mark_end},
                             {"picture", b.picture}});
  return QString::fromUtf8(QJsonDocument(array).toJson(QJsonDocument::Compact));
}

tl::unexpected<Error> no_such(const char* what) {
  return fail(Error::Kind::not_found, std::string("This ") + what + " is no longer in the history", {}, "Open the chat again");
}

// Runs an UPDATE of one chat; nothing touched means that it does not exist.
Result<void> update_chat(Database& database, Statement& statement) {
  LAVA_CHECK_OK(statement.run());
  if (database.changes() == 0) return no_such("chat");
  return {};
}

Result<void> insert_attachments(Database& database, MessageId message, const Message& content) {
  for (size_t i = 0; i < content.attachments.size(); ++i) {
    const Attachment& a = content.attachments[i];
    LAVA_CHECK_OK(Statement(database, "INSERT INTO media(sha256, mime, width, height) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
                      .bind(a.sha256)
                      .bind(a.mime)
                      .bind(a.width)
                      .bind(a.height)
                      .run());
    LAVA_CHECK_OK(Statement(database, "INSERT INTO attachment(message, place, sha256, name) VALUES (?, ?, ?, ?)")
                      .bind(message)
                      .bind(static_cast<qint64>(i))
                      .bind(a.sha256)
                      .bind(a.name)
                      .run());
  }
  return {};
}

}  // namespace

Result<ChatId> insert_chat(Database& database, const QString& title) {
  LAVA_CHECK_OK(Statement(database, "INSERT INTO chat(title, created, changed) VALUES (?, ?2, ?2)").bind(title).bind(now()).run());
  return database.last_id();
}

Result<void> write_title(Database& database, ChatId chat, const QString& title) {
  Statement statement(database, "UPDATE chat SET title = ? WHERE id = ?");
  return update_chat(database, statement.bind(title).bind(chat));
}

Result<void> write_pinned(Database& database, ChatId chat, bool pinned) {
  Statement statement(database, "UPDATE chat SET pinned = ? WHERE id = ?");
  return update_chat(database, statement.bind(pinned).bind(chat));
}

Result<void> write_binned(Database& database, ChatId chat, bool binned) {
  Statement statement(database, binned ? "UPDATE chat SET binned = ? WHERE id = ?" : "UPDATE chat SET binned = nullif(?, ?1) WHERE id = ?");
  return update_chat(database, statement.bind(now()).bind(chat));
}

Result<MessageId> insert_message(Database& database, const Message& message) {
  Statement chat(database, "SELECT 1 FROM chat WHERE id = ?");
  if (!chat.bind(message.chat).next()) {
    LAVA_CHECK_OK(chat.ok());
    return no_such("chat");
  }
  if (message.parent != 0) {
    Statement parent(database, "SELECT 1 FROM message WHERE id = ? AND chat = ?");
    if (!parent.bind(message.parent).bind(message.chat).next()) {
      LAVA_CHECK_OK(parent.ok());
      return no_such("message");
    }
  }
  const qint64 created = message.created.isValid() ? message.created.toMSecsSinceEpoch() : now();
  LAVA_CHECK_OK(
      Statement(
          database,
          "INSERT INTO message(chat, parent, role, state, text, boxes, timings, error, model, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
          .bind(message.chat)
          .bind_id(message.parent)
          .bind(role_name(message.role))
          .bind(state_name(message.state))
          .bind(message.text)
          .bind(json_text(message.boxes))
          .bind(json_text(message.timings))
          .bind(json_text(message.error))
          .bind(message.model)
          .bind(created)
          .run());
  const MessageId id = database.last_id();
  LAVA_CHECK_OK(insert_attachments(database, id, message));
  const QString thumbnail = message.attachments.empty() ? QString() : message.attachments.front().sha256;
  LAVA_CHECK_OK(
      Statement(database, "UPDATE chat SET changed = ?, current_leaf = ?, thumbnail = iif(thumbnail = '', ?, thumbnail) WHERE id = ?")
          .bind(now())
          .bind(id)
          .bind(thumbnail)
          .bind(message.chat)
          .run());
  return id;
}

Result<bool> write_message(Database& database, const Message& message) {
  Statement old(database, "SELECT state, chat FROM message WHERE id = ?");
  if (!old.bind(message.id).next()) {
    LAVA_CHECK_OK(old.ok());
    return no_such("message");
  }
  const bool ended = old.text(0) != state_name(message.state);
  const ChatId chat = old.integer(1);
  LAVA_CHECK_OK(
      Statement(database,
                "UPDATE message SET text = ?, state = ?, boxes = ?, timings = ?, error = ?, model = iif(?6 = '', model, ?6) WHERE id = ?7")
          .bind(message.text)
          .bind(state_name(message.state))
          .bind(json_text(message.boxes))
          .bind(json_text(message.timings))
          .bind(json_text(message.error))
          .bind(message.model)
          .bind(message.id)
          .run());
  if (ended) LAVA_CHECK_OK(Statement(database, "UPDATE chat SET changed = ? WHERE id = ?").bind(now()).bind(chat).run());
  return ended;
}

Result<void> write_leaf(Database& database, ChatId chat, MessageId leaf) {
  Statement statement(database,
                      "UPDATE chat SET current_leaf = ?1 WHERE id = ?2 AND EXISTS (SELECT 1 FROM message WHERE id = ?1 AND chat = ?2)");
  LAVA_CHECK_OK(statement.bind(leaf).bind(chat).run());
  if (database.changes() == 0) return no_such("message");
  return {};
}

Result<void> end_interrupted_streams(Database& database) {
  return database.execute("UPDATE message SET state = 'stopped' WHERE state = 'streaming'");
}

}  // namespace lava::app
