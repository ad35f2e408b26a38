#include "app/chat/chat_list.h"

#include <algorithm>

#include "app/chat/words.h"

namespace lava::app {

ChatList::ChatList(HistoryStore& history, Background& reader, QObject* parent) : QAbstractListModel(parent), history_(history), reader_(reader) {
  soon_.setSingleShot(true);
  soon_.setInterval(30);
  connect(&soon_, &QTimer::timeout, this, &ChatList::read);
  connect(&history_, &HistoryStore::changed, this, &ChatList::reload);
}

int ChatList::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : count();
}

QVariant ChatList::data(const QModelIndex& index, int role) const {
  if (index.row() < 0 || index.row() >= count()) return {};
  const Row& row = rows_[static_cast<size_t>(index.row())];
  switch (role) {
    case IdRole: return row.chat.id;
    case TitleRole: return row.chat.title;
    case GroupRole: return row.group;
    case HeaderRole: return index.row() == 0 || rows_[static_cast<size_t>(index.row()) - 1].group != row.group ? row.group : QString();
    case PinnedRole: return row.chat.pinned;
    case ThumbnailRole: return row.chat.thumbnail;
    case StateRole: {
      const auto it = states_.find(row.chat.id);
      return it == states_.end() ? QString() : it->second;
    }
    default: return {};
  }
}

QHash<int, QByteArray> ChatList::roleNames() const {
  return {{IdRole, "chatId"}, {TitleRole, "title"}, {GroupRole, "group"}, {HeaderRole, "header"}, {PinnedRole, "pinned"}, {ThumbnailRole, "thumbnail"}, {StateRole, "chatState"}};
}

void ChatList::set_search(const QString& search) {
  if (search == search_) return;
  search_ = search;
  emit search_changed();
  reload();
}

void ChatList::set_state(ChatId chat, const QString& state) {
  if (state.isEmpty()) states_.erase(chat);
  else states_[chat] = state;
  for (int i = 0; i < count(); ++i) {
    if (rows_[static_cast<size_t>(i)].chat.id == chat) emit dataChanged(index(i), index(i), {StateRole});
  }
}

QString ChatList::title_of(ChatId chat) const {
  const auto it = std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.chat.id == chat; });
  return it == rows_.end() ? QString() : it->chat.title;
}

void ChatList::reload() {
  if (!soon_.isActive()) soon_.start();
}

void ChatList::read() {
  if (reading_) {
    again_ = true;
    return;
  }
  reading_ = true;
  const auto work = [&history = history_, search = search_.trimmed()] {
    std::vector<Row> pinned, others;
    const QDateTime now = QDateTime::currentDateTime();
    for (Chat& chat : history.chats(search)) {
      const QString group = chat.pinned ? "Pinned" : date_group(chat.changed, now);
      (chat.pinned ? pinned : others).push_back({std::move(chat), group});
    }
    pinned.insert(pinned.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
    return pinned;
  };
  reader_.run(this, work, [this](std::vector<Row> rows) {
    reading_ = false;
    take(std::move(rows));
    if (std::exchange(again_, false)) reload();
  });
}

void ChatList::take(std::vector<Row> rows) {
  const bool same = rows.size() == rows_.size() && std::equal(rows.begin(), rows.end(), rows_.begin(), [](const Row& a, const Row& b) {
    return a.chat.id == b.chat.id && a.group == b.group;
  });
  if (same) {
    rows_ = std::move(rows);
    if (!rows_.empty()) emit dataChanged(index(0), index(count() - 1));
  } else {
    beginResetModel();
    rows_ = std::move(rows);
    endResetModel();
  }
  emit loaded();
}

}  // namespace lava::app
