#include "app/history/reads.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTimeZone>
#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

namespace lava::app {
namespace {

constexpr std::array role_names = {"system", "user", "assistant"};
constexpr std::array state_names = {"complete", "streaming", "stopped", "failed"};

QDateTime time_of(qint64 milliseconds) { return QDateTime::fromMSecsSinceEpoch(milliseconds, Qt::UTC); }
QJsonDocument json_of(const QString& text) { return text.size() <= 2 ? QJsonDocument() : QJsonDocument::fromJson(text.toUtf8()); }

Role role_of(const QString& name) { return name == role_names[0] ? Role::system : name == role_names[2] ? Role::assistant : Role::user; }

MessageState state_of(const QString& name) {
  for (size_t i = 0; i < state_names.size(); ++i)
    if (name == state_names[i]) return static_cast<MessageState>(i);
  return MessageState::failed;
}

std::vector<GroundedBox> boxes_of(const QString& text) {
  std::vector<GroundedBox> boxes;
  for (const QJsonValue value : json_of(text).array()) {
    const QJsonObject o = value.toObject();
    const double x1 = o["x1"].toDouble(NAN), y1 = o["y1"].toDouble(NAN), x2 = o["x2"].toDouble(NAN), y2 = o["y2"].toDouble(NAN);
    if (!std::isfinite(x1 + y1 + x2 + y2)) continue;  // nothing of ours writes that
    boxes.push_back({o["label"].toString(), x1, y1, x2, y2, o["start"].toInt(), o["end"].toInt(), o["mark_start"].toInt(),
                     o["mark_end"].toInt(), o["picture"].toInt()});
  }
  return boxes;
}

// "blue ca" -> "blue"* "ca"*, quotes doubled: nothing a user types is syntax. Empty when no letter or digit is left.
QStringList word_patterns(const QString& words) {
  static const QRegularExpression gaps(QStringLiteral("\\s+")), letter(QStringLiteral("[\\p{L}\\p{N}]"));
  QStringList patterns;
  for (QString word : words.split(gaps, Qt::SkipEmptyParts)) {
    if (!word.contains(letter)) continue;
    word.remove(QChar(0));
    patterns << '"' + word.replace('"', "\"\"") + "\"*";
  }
  return patterns;
}

constexpr std::string_view chat_columns =
    "SELECT id, title, created, changed, coalesce(current_leaf, 0), thumbnail, pinned, binned IS NOT NULL FROM chat ";

Chat chat_of(const Statement& row) {
  return {row.integer(0), row.text(1), time_of(row.integer(2)), time_of(row.integer(3)),
          row.integer(4), row.text(5), row.integer(6) != 0,     row.integer(7) != 0};
}

Message message_of(const Statement& row, ChatId chat, bool streaming_is_stopped) {
  Message message;
  message.id = row.integer(0);
  message.chat = chat;
  message.parent = row.integer(1);
  message.role = role_of(row.text(2));
  message.state = state_of(row.text(3));
  if (streaming_is_stopped && message.state == MessageState::streaming) message.state = MessageState::stopped;
  message.text = row.text(4);
  message.boxes = boxes_of(row.text(5));
  message.timings = json_of(row.text(6)).object();
  message.error = json_of(row.text(7)).object();
  message.model = row.text(8);
  message.created = time_of(row.integer(9));
  return message;
}

// Root first. The index on (chat, parent) answers alone; a circle in a damaged file ends the walk.
std::vector<MessageId> branch_ids(Database& database, ChatId chat) {
  std::unordered_map<MessageId, MessageId> parents;
  Statement rows(database, "SELECT id, coalesce(parent, 0) FROM message WHERE chat = ?");
  rows.bind(chat);
  while (rows.next()) parents[rows.integer(0)] = rows.integer(1);
  const std::optional<Chat> head = read_chat(database, chat);
  std::vector<MessageId> ids;
  for (MessageId id = head ? head->current_leaf : 0; id != 0 && ids.size() < parents.size();) {
    const auto parent = parents.find(id);
    if (parent == parents.end()) break;
    ids.push_back(id);
    id = parent->second;
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

void read_attachments(Database& database, ChatId chat, std::vector<Message>& messages) {
  std::unordered_map<MessageId, Message*> by_id;
  for (Message& message : messages) by_id[message.id] = &message;
  Statement rows(database,
                 "SELECT a.message, a.sha256, a.name, d.mime, d.width, d.height FROM message m JOIN attachment a ON a.message = m.id "
                 "JOIN media d ON d.sha256 = a.sha256 WHERE m.chat = ? ORDER BY a.message, a.place");
  rows.bind(chat);
  while (rows.next())
    if (auto it = by_id.find(rows.integer(0)); it != by_id.end())
      it->second->attachments.push_back(
          {rows.text(1), rows.text(2), rows.text(3), static_cast<int>(rows.integer(4)), static_cast<int>(rows.integer(5))});
}

}  // namespace

QString role_name(Role role) { return role_names[static_cast<size_t>(role)]; }
QString state_name(MessageState state) { return state_names[static_cast<size_t>(state)]; }

std::vector<Chat> read_chats(Database& database, const QString& words, bool binned) {
  std::string sql(chat_columns);
  sql += binned ? "WHERE binned IS NOT NULL " : "WHERE binned IS NULL ";
  const QStringList patterns = word_patterns(words);
  if (patterns.isEmpty() && !words.trimmed().isEmpty()) return {};
  for (qsizetype i = 1; i <= patterns.size(); ++i) {
    static const QString one_word =
        "AND (id IN (SELECT rowid FROM chat_words WHERE chat_words MATCH ?%1) OR id IN "
        "(SELECT m.chat FROM message_words w JOIN message m ON m.id = w.rowid WHERE w.message_words MATCH ?%1)) ";
    sql += one_word.arg(i).toStdString();
  }
  sql += binned ? "ORDER BY binned DESC, id DESC" : "ORDER BY changed DESC, id DESC";
  Statement rows(database, sql);
  for (const QString& pattern : patterns) rows.bind(pattern);
  std::vector<Chat> chats;
  while (rows.next()) chats.push_back(chat_of(rows));
  return chats;
}

std::optional<Chat> read_chat(Database& database, ChatId id) {
  Statement row(database, std::string(chat_columns) + "WHERE id = ?");
  row.bind(id);
  if (!row.next()) return std::nullopt;
  return chat_of(row);
}

std::vector<Message> read_branch(Database& database, ChatId chat, bool streaming_is_stopped) {
  // One view of the file for all statements, though the writer goes on.
  static_cast<void>(database.execute("BEGIN"));
  Statement row(database,
                "SELECT id, coalesce(parent, 0), role, state, text, boxes, timings, error, model, created FROM message WHERE id = ?");
  std::vector<Message> messages;
  for (const MessageId id : branch_ids(database, chat)) {
    row.reset();
    if (row.bind(id).next()) messages.push_back(message_of(row, chat, streaming_is_stopped));
  }
  row.reset();
  read_attachments(database, chat, messages);
  static_cast<void>(database.execute("COMMIT"));
  return messages;
}

std::vector<MessageId> read_siblings(Database& database, MessageId id) {
  Statement rows(
      database,
      "SELECT other.id FROM message me JOIN message other ON other.chat = me.chat AND other.parent IS me.parent WHERE me.id = ? ORDER BY "
      "other.id");
  rows.bind(id);
  std::vector<MessageId> ids;
  while (rows.next()) ids.push_back(rows.integer(0));
  return ids;
}

MessageId read_newest_leaf(Database& database, MessageId id) {
  Statement row(
      database,
      "WITH RECURSIVE line(id) AS (SELECT ?1 UNION SELECT (SELECT max(m.id) FROM message m WHERE m.parent = line.id) FROM line WHERE line.id "
      "IS NOT NULL) SELECT max(id) FROM line");
  row.bind(id);
  return row.next() && !row.null(0) ? row.integer(0) : id;
}

std::vector<SearchHit> read_hits(Database& database, const QString& words, int most) {
  const QStringList patterns = word_patterns(words);
  if (patterns.isEmpty()) return {};
  Statement rows(database,
                 "SELECT m.chat, m.id, c.title, snippet(message_words, 0, char(2), char(3), '…', 16), m.created FROM message_words w "
                 "JOIN message m ON m.id = w.rowid JOIN chat c ON c.id = m.chat WHERE w.message_words MATCH ? AND c.binned IS NULL "
                 "ORDER BY w.rowid DESC LIMIT ?");
  rows.bind(patterns.join(' ')).bind(most);
  std::vector<SearchHit> hits;
  while (rows.next()) hits.push_back({rows.integer(0), rows.integer(1), rows.text(2), rows.text(3), time_of(rows.integer(4))});
  return hits;
}

}  // namespace lava::app
