// The chat on screen as rows for a list view, newest first: a message is several rows, so a long answer costs only what is visible.
#pragma once
#include <QAbstractListModel>
#include <QVariantMap>
#include <map>
#include <vector>

#include "app/chat/markdown_blocks.h"
#include "app/chat/words.h"

namespace lava::app {

// A message as read from the history, with what its rows need.
struct ShownMessage {
  Message message;
  std::vector<MessageId> siblings;  // itself included
  std::vector<Block> blocks;        // of an answer
};

// What is under way for the last answer.
struct LiveState {
  bool live = false;
  PhaseLine phase;
};

class Transcript : public QAbstractListModel {
  Q_OBJECT
  Q_PROPERTY(int count READ count NOTIFY count_changed)

 public:
  enum Role { KindRole = Qt::UserRole + 1, MessageRole, EntryRole };
  using QAbstractListModel::QAbstractListModel;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;
  int count() const { return static_cast<int>(rows_.size()); }

  void show(std::vector<ShownMessage> messages, const LiveState& live, bool other_chat);
  void update_last(const Message& answer, const std::vector<Block>& blocks, const LiveState& live);  // the last message of show()
  const std::vector<ShownMessage>& messages() const { return messages_; }
  // All pictures of the branch, in the order in which boxes count them: {sha, name, width, height, boxes}.
  Q_INVOKABLE QVariantList pictures() const;

 signals:
  void count_changed();

 private:
  struct Row {
    QString kind;
    MessageId message = 0;
    QVariantMap entry;
    bool operator==(const Row&) const = default;
  };
  using Rows = std::vector<Row>;

  Rows rows_of(size_t index) const;  // top to bottom
  Rows user_rows(size_t index) const;
  Rows answer_rows(size_t index) const;
  QVariantList pictures_of(size_t index) const;
  QVariantMap pointed_at(size_t index) const;  // the picture that a question's regions lie on, with them as its boxes; empty if it has none
  void replace(size_t message, Rows rows);
  int below(size_t message) const;  // rows of later messages
  void index_pictures();
  QVariantList boxes_on(int picture) const;

  std::vector<ShownMessage> messages_;
  LiveState live_;
  std::vector<int> first_picture_;  // per message: pictures before it
  std::vector<Attachment> pictures_;
  std::vector<int> boxed_by_;       // per picture: the message whose boxes are drawn on it, -1 if none
  std::vector<int> counts_;  // rows per message
  Rows rows_;                // newest first
};

}  // namespace lava::app
