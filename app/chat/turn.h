// One question and its answer on their way: saved, asked, streamed, committed. Belongs to its chat, whatever chat is on screen.
#pragma once
#include <QObject>
#include <QTimer>
#include <optional>
#include <vector>

#include "app/chat/engine_link.h"
#include "app/chat/markdown_blocks.h"
#include "app/chat/phrase_marks.h"
#include "app/chat/words.h"

namespace lava::app {

struct TurnPlan {
  ChatId chat = 0;                  // 0: makes a chat
  std::vector<Message> before;      // root .. the message that the question (or, without one, the answer) follows
  std::optional<Message> question;  // none when an answer is asked for again
  AskOptions options;

  std::vector<Message> branch() const;  // before, and the question
};

class Turn : public QObject {
  Q_OBJECT
 public:
  Turn(EngineLink& engine, HistoryStore& history, TurnPlan plan, QObject* parent);
  void start();
  void stop();

  ChatId chat() const { return plan_.chat; }
  const std::vector<Message>& before() const { return plan_.before; }
  const std::optional<Message>& question() const { return plan_.question; }
  const Message& answer() const { return answer_; }
  const std::vector<Block>& blocks() const { return stream_.blocks(); }
  PhaseLine phase() const { return phase_; }
  bool ended() const { return ended_; }
  bool kept() const { return answer_.id != 0 && kept_; }  // the history holds the answer as it is here

 signals:
  void chat_made(lava::app::ChatId chat);
  void saved();                            // question and answer have their ids
  void changed();                          // at most once per frame
  void finished();                         // the answer is complete, stopped or failed, and committed as such
  void refused(const lava::Error& error);  // nothing could be saved; text and pictures go back to the composer
  void not_kept(const lava::Error& error); // the answer goes on, but the history could not take it

 private:
  void make_chat();
  void add_question();
  void add_answer();
  void on_engine();
  void ask();
  void on_text(const QString& delta);
  void on_done(const AnswerDone& answer);
  void on_failed(const Error& error);
  void repeat();
  void drop_asking();
  void end(MessageState state);
  void commit();
  void set_phase(const PhaseLine& phase);

  EngineLink& engine_;
  HistoryStore& history_;
  TurnPlan plan_;
  Message answer_;
  PlaceFilter places_;
  BlockStream stream_;
  Asking* asking_ = nullptr;
  std::vector<int> sent_pictures_;  // number in the branch of each
  PhaseLine phase_;
  QTimer frame_, commit_timer_;
  bool saved_ = false, ended_ = false, stop_asked_ = false, dirty_ = false, warned_ = false, kept_ = true;
  bool repeated_ = false, awaits_restart_ = false;
};

}  // namespace lava::app
