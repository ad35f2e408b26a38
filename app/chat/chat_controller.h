// The chat on screen and all turns under way. Everything the window can do with chats goes through here.
#pragma once
#include <QObject>
#include <map>
#include <vector>

#include "app/chat/chat_list.h"
#include "app/chat/composer.h"
#include "app/chat/drafts.h"
#include "app/chat/look_ahead.h"
#include "app/chat/transcript.h"
#include "app/chat/turn.h"

namespace lava::app {

class ChatController : public QObject {
  Q_OBJECT
  Q_PROPERTY(qint64 chatId READ chat_id NOTIFY chat_changed)
  Q_PROPERTY(QString title READ title NOTIFY title_changed)
  Q_PROPERTY(bool empty READ empty NOTIFY empty_changed)
  Q_PROPERTY(bool busy READ busy NOTIFY busy_changed)
  Q_PROPERTY(qint64 editing READ editing NOTIFY editing_changed)
  Q_PROPERTY(lava::app::Transcript* transcript READ transcript CONSTANT)
  Q_PROPERTY(lava::app::Composer* composer READ composer CONSTANT)
  Q_PROPERTY(QString readOnly READ read_only CONSTANT)
  Q_PROPERTY(lava::app::ChatList* chats READ chats CONSTANT)

 public:
  // The three outlive the controller. `drafts_file` is made when there is something to keep.
  ChatController(HistoryStore& history, EngineLink& engine, const MediaStore& media, const QString& drafts_file, QObject* parent = nullptr);
  ~ChatController() override;

  ChatId chat_id() const { return chat_id_; }
  QString title() const { return title_; }
  bool empty() const { return branch_.empty() && !opening_; }
  bool busy() const { return shown_ != nullptr; }
  MessageId editing() const { return editing_; }
  QString read_only() const { return history_.read_only_reason(); }  // why nothing can be asked here; empty if it can
  Transcript* transcript() { return &transcript_; }
  Composer* composer() { return &composer_; }
  ChatList* chats() { return &chats_; }

  Q_INVOKABLE void new_chat();
  Q_INVOKABLE void open_chat(qint64 chat);
  Q_INVOKABLE void send();
  Q_INVOKABLE void stop();
  Q_INVOKABLE void regenerate(qint64 answer);  // another answer beside this one; 0: the last
  Q_INVOKABLE void try_again(qint64 answer);   // the same question once more, after a failure
  Q_INVOKABLE void begin_edit(qint64 question);  // 0: the last question
  Q_INVOKABLE void cancel_edit();
  Q_INVOKABLE void select_sibling(qint64 message, int by);  // 0: the last answer
  // Asks about a region, in pixels, of picture `number` of the transcript. False when the chat no longer has that picture there, or cannot
  // take a question now.
  Q_INVOKABLE bool ask_region(int number, const QString& sha, const QRectF& region, const QString& question);
  Q_INVOKABLE void try_example(const QString& picture, const QString& question);
  Q_INVOKABLE void rename(qint64 chat, const QString& title);
  Q_INVOKABLE void set_pinned(qint64 chat, bool pinned);
  Q_INVOKABLE void remove(qint64 chat);
  Q_INVOKABLE void undo_remove(qint64 chat);
  Q_INVOKABLE QString text_of(qint64 message) const;  // 0: the last answer

 signals:
  void chat_changed();
  void title_changed();
  void empty_changed();
  void busy_changed();
  void editing_changed();
  void removed(qint64 chat, const QString& title);
  void problem(const QString& what, const QString& cause, const QString& remedy);
  void opened();  // the messages of another chat are on screen

 private:
  TurnPlan plan_question(size_t kept, const Draft& draft) const;  // after the first `kept` messages
  size_t kept() const;                                            // messages before the question in the composer
  std::vector<AskTurn> turns_ahead() const;
  void begin(TurnPlan plan, const Draft& on_refusal);
  void watch(Turn* turn, const Draft& on_refusal);
  void refuse(Turn* turn, const Draft& draft, const Error& error);
  void finish(Turn* turn);
  void drop(Turn* turn);
  void show_turn(Turn* turn);
  void refresh_live();
  void read_branch(bool other_chat);
  void take_branch(std::vector<ShownMessage> branch, bool other_chat);
  void set_chat(ChatId chat, const QString& title);
  void set_shown(Turn* turn);
  void again(MessageId answer, const AskOptions& options);
  void keep_draft();
  int find(MessageId message, Role role) const;  // 0: the last of this role; -1 if none
  std::vector<Message> before(size_t count) const;
  void report(const Error& error);
  template <class T>
  void watch_write(QFuture<Result<T>> written);

  HistoryStore& history_;
  EngineLink& engine_;
  const MediaStore& media_;
  Drafts drafts_;
  Composer composer_;
  LookAhead look_ahead_;
  Transcript transcript_;
  std::vector<Turn*> turns_;
  Turn* shown_ = nullptr;  // the turn of the chat on screen
  ChatId chat_id_ = 0;
  QString title_;
  MessageId editing_ = 0;
  bool opening_ = false, loading_draft_ = false;
  int generation_ = 0;
  std::vector<ShownMessage> branch_;  // as on screen, the running turn at its end
  Background reader_;
  ChatList chats_;
};

}  // namespace lava::app
