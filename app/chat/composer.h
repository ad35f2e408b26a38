// What the user is writing: text and picture chips. Survives errors, other chats and restarts through Drafts.
#pragma once
#include <QAbstractListModel>
#include <QUrl>
#include <memory>
#include <vector>

#include "app/chat/background.h"
#include "app/chat/engine_link.h"
#include "app/media/media_store.h"

namespace lava::app {

struct Draft {
  QString text;
  std::vector<Attachment> pictures;
  std::vector<GroundedBox> regions = {};  // of earlier pictures of the chat; not kept over a restart
  bool empty() const { return text.isEmpty() && pictures.empty(); }
};

class Composer : public QAbstractListModel {
  Q_OBJECT
  Q_PROPERTY(QString text READ text WRITE set_text NOTIFY text_changed)
  Q_PROPERTY(int count READ count NOTIFY chips_changed)
  Q_PROPERTY(bool loading READ loading NOTIFY chips_changed)
  Q_PROPERTY(bool ready READ ready NOTIFY ready_changed)
  Q_PROPERTY(int tokens READ tokens NOTIFY chips_changed)
  Q_PROPERTY(QString problem READ problem NOTIFY chips_changed)
  Q_PROPERTY(bool pointing READ pointing NOTIFY pointing_changed)

 public:
  enum Role { ShaRole = Qt::UserRole + 1, NameRole, WidthRole, HeightRole, StateRole, ReasonRole, TokensRole };
  Composer(EngineLink& engine, const MediaStore& media, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QHash<int, QByteArray> roleNames() const override;

  QString text() const { return text_; }
  void set_text(const QString& text);
  int count() const { return static_cast<int>(chips_.size()); }
  bool loading() const;
  bool ready() const;  // something to send, and no chip still loads or is broken
  int tokens() const;  // of all chips, 0 while unknown
  QString problem() const;  // why the first broken chip is broken; it keeps the question from being sent
  bool pointing() const { return !regions_.empty(); }  // the question is about a region of an earlier picture
  Draft draft() const;
  void load(const Draft& draft, ChatId owner);  // of the chat `owner`
  void set_owner(ChatId owner) { owner_ = owner; }

  Q_INVOKABLE void add_files(const QList<QUrl>& files);
  Q_INVOKABLE void add_bytes(const QByteArray& bytes, const QString& name);
  Q_INVOKABLE void remove(int chip);
  Q_INVOKABLE void move(int chip, int by);
  Q_INVOKABLE void drop_regions();

 signals:
  void text_changed();
  void text_loaded();  // the text was replaced from outside the field
  void chips_changed();
  void ready_changed();
  void pointing_changed();
  void edited();       // worth saving as a draft
  void came_late(lava::app::ChatId owner, const lava::app::Attachment& picture);  // read after its chat left the composer

 private:
  enum class ChipState { loading, ready, failed };
  struct Chip {
    quint64 key = 0;
    Attachment picture;
    ChipState state = ChipState::loading;
    QString reason;
    int tokens = -1;
  };

  void add(const QString& name, std::function<Result<Attachment>()> read);
  void settle(quint64 key, ChatId owner, const Result<Attachment>& read);
  void count_tokens(quint64 key);
  bool update(quint64 key, const std::function<void(Chip&)>& change);
  void touched();

  EngineLink& engine_;
  const MediaStore& media_;
  QString text_;
  std::vector<Chip> chips_;
  std::vector<GroundedBox> regions_;
  quint64 next_key_ = 1;
  ChatId owner_ = 0;
  bool was_ready_ = false, engine_was_ready_ = false;
  Background background_;
};

}  // namespace lava::app
