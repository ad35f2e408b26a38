// Writes the turns of a command into the history; when that cannot be done it says so once and the command goes on.
#pragma once
#include <QElapsedTimer>
#include <memory>

#include "app/engine/engine_client.h"
#include "app/media/media_store.h"

namespace lava::app {

class Recorder {
 public:
  // Off: nothing is written.
  Recorder(bool on, const QString& data_folder);
  void new_chat() { chat_ = leaf_ = 0; }
  bool resume(ChatId chat);  // false when there is no such chat
  std::vector<Message> turns() const;

  void begin(const QString& question, const std::vector<Attachment>& pictures, const QString& model);
  void grow(const QString& text);  // about once a second to the disk
  void finish(const Result<AnswerDone>& answer, const QString& text_so_far);
  HistoryStore* store() { return store_.get(); }

 private:
  void give_up(const QString& why);
  std::unique_ptr<HistoryStore> store_;
  ChatId chat_ = 0;
  MessageId leaf_ = 0;
  Message answer_;
  QElapsedTimer since_write_;
};

}  // namespace lava::app
