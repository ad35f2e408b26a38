#include "app/cli/recorder.h"

#include "app/chat/words.h"
#include "app/cli/terminal.h"

namespace lava::app {

Recorder::Recorder(bool on, const QString& data_folder) {
  if (!on) return;
  auto store = HistoryStore::open(data_folder);
  if (store) store_ = std::move(*store);
  if (!store)
    give_up(QString::fromStdString(store.error().message()));
  else if (store_->read_only())
    give_up(store_->read_only_reason());
}

void Recorder::give_up(const QString& why) {
  terminal::warn("this is not being saved: " + why);
  store_.reset();
}

bool Recorder::resume(ChatId id) {
  const auto chat = store_ ? store_->chat(id) : std::nullopt;
  if (!chat) return false;
  chat_ = chat->id;
  leaf_ = chat->current_leaf;
  return true;
}

std::vector<Message> Recorder::turns() const { return store_ && chat_ ? store_->branch(chat_) : std::vector<Message>{}; }

void Recorder::begin(const QString& question, const std::vector<Attachment>& pictures, const QString& model) {
  if (!store_) return;
  if (chat_ == 0) {
    const auto chat = store_->create_chat(title_of(question)).result();
    if (!chat) return give_up(QString::fromStdString(chat.error().message()));
    chat_ = *chat;
    leaf_ = 0;
  }
  Message asked;
  asked.chat = chat_;
  asked.parent = leaf_;
  asked.text = question;
  asked.attachments = pictures;
  const auto asked_id = store_->add_message(asked).result();
  if (!asked_id) return give_up(QString::fromStdString(asked_id.error().message()));
  answer_ = {};
  answer_.chat = chat_;
  answer_.parent = *asked_id;
  answer_.role = Role::assistant;
  answer_.state = MessageState::streaming;
  answer_.model = model;
  const auto answer_id = store_->add_message(answer_).result();
  if (!answer_id) return give_up(QString::fromStdString(answer_id.error().message()));
  answer_.id = leaf_ = *answer_id;
  since_write_.start();
}

void Recorder::grow(const QString& text) {
  if (!store_ || since_write_.elapsed() < 1000) return;
  answer_.text = text;
  store_->update_message(answer_);  // not waited for: finish() writes the whole again
  since_write_.restart();
}

void Recorder::finish(const Result<AnswerDone>& answer, const QString& text_so_far) {
  if (!store_) return;
  answer_.text = text_so_far;
  if (answer) {
    answer_.state = MessageState::complete;
    answer_.text = answer->text;
    answer_.boxes = answer->boxes;
    answer_.timings = answer->timings;
  } else if (answer.error().kind == Error::Kind::cancelled) {
    answer_.state = MessageState::stopped;
  } else {
    const Error& e = answer.error();
    answer_.state = MessageState::failed;
    answer_.error = {
        {"what", QString::fromStdString(e.what)}, {"cause", QString::fromStdString(e.cause)}, {"remedy", QString::fromStdString(e.remedy)}};
  }
  if (const auto written = store_->update_message(answer_).result(); !written) give_up(QString::fromStdString(written.error().message()));
}

}  // namespace lava::app
