// The history of one user: chats, messages as a tree, media by hash. One writer thread owns the only writing connection.
#pragma once
#include <QDateTime>
#include <QFuture>
#include <QJsonObject>
#include <QObject>
#include <QString>
#include <QStringList>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/result.h"

namespace lava::app {

using ChatId = qint64;
using MessageId = qint64;

struct Chat {
  ChatId id = 0;
  QString title;
  QDateTime created, changed;
  MessageId current_leaf = 0;  // 0: no message yet
  QString thumbnail;           // SHA-256 of a picture, empty if none
  bool pinned = false;
  bool binned = false;
};

enum class Role { system, user, assistant };
enum class MessageState { complete, streaming, stopped, failed };  // `streaming` after a crash reads back as stopped

// A picture of a message: content-addressed, stored outside the database.
struct Attachment {
  QString sha256;
  QString name;  // as the user had it
  QString mime;
  int width = 0, height = 0;  // upright
};

// A phrase of an answer tied to a place, as the engine reported it; in a question, a region that the user drew.
struct GroundedBox {
  QString label;
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // pixels of the upright picture
  int start = 0, end = 0;                 // UTF-16 offsets of the phrase in the text; empty when the answer is only a place
  int mark_start = 0, mark_end = 0;       // UTF-16 offsets of the coordinates in the text; a display hides them
  int picture = 0;                        // counted over the whole branch
};

struct Message {
  MessageId id = 0;
  ChatId chat = 0;
  MessageId parent = 0;  // 0: first message of a branch
  Role role = Role::user;
  MessageState state = MessageState::complete;
  QString text;
  std::vector<Attachment> attachments;
  std::vector<GroundedBox> boxes;
  QJsonObject timings;
  QJsonObject error;  // what, cause, remedy when state is failed
  QString model;
  QDateTime created;
};

// A place where searched words were found. `snippet` is a line of the message with the words between U+0002 and U+0003.
struct SearchHit {
  ChatId chat = 0;
  MessageId message = 0;
  QString title;
  QString snippet;
  QDateTime created;
};

// Reads answer from a read-only connection that no other thread uses meanwhile; writes are queued, run in order on the writer thread,
// and the future is ready once the transaction is committed.
class HistoryStore : public QObject {
  Q_OBJECT
 public:
  // Makes folder and schema, migrates, and checks the file in the background once the caller's event loop runs.
  static Result<std::unique_ptr<HistoryStore>> open(const QString& folder);
  ~HistoryStore() override;  // finishes queued writes

  std::vector<Chat> chats(const QString& search = {}) const;  // newest first; every word begins a word of the title or of a message
  std::vector<SearchHit> search(const QString& words, int most = 50) const;  // messages with all the words, newest first
  std::vector<Chat> bin() const;                                             // deleted chats, last deleted first
  std::optional<Chat> chat(ChatId) const;                                    // also one in the bin
  std::vector<Message> branch(ChatId) const;                                 // root .. current leaf
  std::vector<MessageId> siblings(MessageId) const;                          // in order of creation, itself included
  MessageId newest_leaf(MessageId) const;                                    // follow the newest child down; itself when it has none

  QFuture<Result<ChatId>> create_chat(const QString& title);
  QFuture<Result<void>> rename_chat(ChatId, const QString& title);
  QFuture<Result<void>> set_pinned(ChatId, bool pinned);
  QFuture<Result<void>> delete_chat(ChatId);               // moves to the bin
  QFuture<Result<void>> restore_chat(ChatId);              // undo of delete_chat
  QFuture<Result<MessageId>> add_message(const Message&);  // id is ignored; becomes the chat's current leaf
  QFuture<Result<void>> update_message(const Message&);    // text, state, boxes, timings, error
  QFuture<Result<void>> select_leaf(ChatId, MessageId);

  bool read_only() const;            // after a failed check, beside another window, or with a newer file; writes then fail with a sentence
  bool is_damaged() const;           // the reason is that the file is not sound: what it lists may be less than it held
  QString read_only_reason() const;  // that sentence; empty when writes are possible

 signals:
  void changed();  // a chat was added, removed, renamed or touched
  void check_finished(bool ok, QString report);

 private:
  class Impl;
  explicit HistoryStore(std::unique_ptr<Impl>);
  void start_check();
  std::unique_ptr<Impl> impl_;
};

}  // namespace lava::app
