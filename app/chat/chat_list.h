// The chats of the sidebar: searched, grouped by date, with a state each.
#pragma once
#include <QAbstractListModel>
#include <QTimer>
#include <map>

#include "app/chat/background.h"
#include "app/history/history_store.h"

namespace lava::app {

class ChatList : public QAbstractListModel {
  Q_OBJECT
  Q_PROPERTY(QString search READ search WRITE set_search NOTIFY search_changed)
  Q_PROPERTY(int count READ count NOTIFY loaded)

 public:
  enum Role { IdRole = Qt::UserRole + 1, TitleRole, GroupRole, HeaderRole, PinnedRole, ThumbnailRole, StateRole };
  ChatList(HistoryStore& history, Background& reader, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  QString search() const { return search_; }
  void set_search(const QString& search);
  int count() const { return static_cast<int>(rows_.size()); }
  void set_state(ChatId chat, const QString& state);  // "", generating, error
  QString title_of(ChatId chat) const;
  void reload();

 signals:
  void search_changed();
  void loaded();

 private:
  struct Row {
    Chat chat;
    QString group;
  };
  void read();
  void take(std::vector<Row> rows);

  HistoryStore& history_;
  Background& reader_;
  std::vector<Row> rows_;
  std::map<ChatId, QString> states_;
  QString search_;
  QTimer soon_;
  bool reading_ = false, again_ = false;
};

}  // namespace lava::app
