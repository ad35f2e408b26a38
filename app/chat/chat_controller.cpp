#include "app/chat/chat_controller.h"

#include <QFile>
#include <QRandomGenerator>
#include <algorithm>

#include "app/chat/ask_plan.h"
#include "app/chat/regions.h"

namespace lava::app {
namespace {

constexpr ChatId editing_owner = -1;            // the composer holds an earlier question, not a draft
constexpr double regenerate_temperature = 0.7;  // at 0 the same answer would come again

std::vector<ShownMessage> read_shown(const HistoryStore& history, ChatId chat) {
  std::vector<ShownMessage> shown;
  for (Message& message : history.branch(chat)) {
    ShownMessage entry{std::move(message), {}, {}};
    entry.siblings = history.siblings(entry.message.id);
    if (entry.message.role == Role::assistant) entry.blocks = answer_blocks(entry.message);
    shown.push_back(std::move(entry));
  }
  return shown;
}

}  // namespace

ChatController::ChatController(HistoryStore& history, EngineLink& engine, const MediaStore& media, const QString& drafts_file, QObject* parent)
    : QObject(parent), history_(history), engine_(engine), media_(media), drafts_(drafts_file), composer_(engine, media),
      look_ahead_(engine, [this] { return turns_ahead(); }), chats_(history, reader_) {
  connect(&composer_, &Composer::edited, this, &ChatController::keep_draft);
  connect(&composer_, &Composer::edited, &look_ahead_, &LookAhead::update);
  connect(&chats_, &ChatList::loaded, this, [this] {
    const QString title = chat_id_ == 0 ? QString() : chats_.title_of(chat_id_);
    if (title.isEmpty() || title == title_) return;
    title_ = title;
    emit title_changed();
  });
  connect(&composer_, &Composer::came_late, this, [this](ChatId owner, const Attachment& picture) {
    if (owner < 0) return;
    Draft draft = drafts_.get(owner);
    draft.pictures.push_back(picture);
    drafts_.set(owner, draft);
  });
  drafts_.read([this] {
    if (chat_id_ == 0 && composer_.count() == 0 && composer_.text().isEmpty()) composer_.load(drafts_.get(0), 0);
  });
  chats_.reload();
}

ChatController::~ChatController() {
  for (Turn* turn : turns_) {
    turn->disconnect(this);
    turn->stop();  // what was written so far is queued for the history
  }
}

void ChatController::keep_draft() {
  if (!loading_draft_ && editing_ == 0) drafts_.set(chat_id_, composer_.draft());
}

void ChatController::set_chat(ChatId chat, const QString& title) {
  ++generation_;
  if (editing_ != 0) {
    editing_ = 0;
    emit editing_changed();
  }
  chat_id_ = chat;
  title_ = title;
  loading_draft_ = true;
  composer_.load(drafts_.get(chat), chat);
  loading_draft_ = false;
  emit chat_changed();
  emit title_changed();
}

void ChatController::new_chat() {
  set_shown(nullptr);
  set_chat(0, {});
  opening_ = false;
  take_branch({}, true);
}

void ChatController::open_chat(qint64 chat) {
  if (chat == chat_id_ || chat <= 0) return;
  const auto turn = std::find_if(turns_.begin(), turns_.end(), [&](Turn* t) { return t->chat() == chat; });
  set_shown(turn == turns_.end() ? nullptr : *turn);
  set_chat(chat, chats_.title_of(chat));
  chats_.set_state(chat, shown_ ? "generating" : "");
  opening_ = true;
  read_branch(true);
}

void ChatController::read_branch(bool other_chat) {
  const int generation = ++generation_;
  reader_.run(this, [&history = history_, chat = chat_id_] { return read_shown(history, chat); },
              [this, generation, other_chat](std::vector<ShownMessage> branch) {
                if (generation != generation_) return;
                opening_ = false;
                take_branch(std::move(branch), other_chat);
              });
}

void ChatController::take_branch(std::vector<ShownMessage> branch, bool other_chat) {
  branch_ = std::move(branch);
  if (shown_) show_turn(shown_);
  transcript_.show(branch_, {shown_ != nullptr, shown_ ? shown_->phase() : PhaseLine{}}, other_chat);
  look_ahead_.update();
  emit empty_changed();
  if (other_chat) emit opened();
}

// Puts question and answer of a running turn at the end of the branch on screen.
void ChatController::show_turn(Turn* turn) {
  const size_t kept = std::min(branch_.size(), turn->before().size());
  std::vector<ShownMessage> tail(branch_.begin() + static_cast<std::ptrdiff_t>(kept), branch_.end());
  branch_.resize(kept);
  const auto siblings = [&](MessageId id) {
    const auto it = std::find_if(tail.begin(), tail.end(), [&](const ShownMessage& shown) { return shown.message.id == id; });
    return it == tail.end() ? std::vector<MessageId>{} : it->siblings;
  };
  if (turn->question()) branch_.push_back({*turn->question(), siblings(turn->question()->id), {}});
  branch_.push_back({turn->answer(), siblings(turn->answer().id), turn->blocks()});
}

void ChatController::refresh_live() {
  if (!shown_ || branch_.empty()) return;
  branch_.back().message = shown_->answer();
  branch_.back().blocks = shown_->blocks();
  transcript_.update_last(shown_->answer(), shown_->blocks(), {!shown_->ended(), shown_->phase()});
}

void ChatController::set_shown(Turn* turn) {
  if (turn == shown_) return;
  shown_ = turn;
  emit busy_changed();
}

void ChatController::send() {
  if (busy() || opening_ || !composer_.ready()) return;
  const Draft draft = composer_.draft();
  TurnPlan plan = plan_question(kept(), draft);
  if (editing_ != 0) cancel_edit();
  else composer_.load({}, chat_id_);
  begin(std::move(plan), draft);
}

size_t ChatController::kept() const {
  return editing_ == 0 ? branch_.size() : static_cast<size_t>(std::max(find(editing_, Role::user), 0));
}

// The question in the composer without its words, once all its pictures are there.
std::vector<AskTurn> ChatController::turns_ahead() const {
  Draft draft = composer_.draft();
  if (busy() || opening_ || composer_.loading() || draft.pictures.empty()) return {};
  draft.text.clear();
  return ask_plan(plan_question(kept(), draft).branch(), engine_.takes_regions()).turns;
}

void ChatController::try_example(const QString& picture, const QString& question) {
  if (busy() || opening_) return;
  const int generation = generation_;
  const auto work = [&media = media_, picture]() -> Result<Attachment> {
    QFile file(picture);
    if (!file.open(QIODevice::ReadOnly)) return fail(Error::Kind::io, "The example picture cannot be read", file.errorString().toStdString());
    return media.add(file.readAll(), picture.section('/', -1));
  };
  reader_.run(this, work, [this, question, generation](const Result<Attachment>& added) {
    if (!added) return report(added.error());
    if (generation != generation_ || busy()) return;
    begin(plan_question(branch_.size(), {question, {*added}}), {});
  });
}

bool ChatController::ask_region(int number, const QString& sha, const QRectF& region, const QString& question) {
  if (busy() || opening_ || question.trimmed().isEmpty()) return false;
  const Draft draft{question, {}, {drawn_box(number, region)}};
  TurnPlan plan = plan_question(branch_.size(), draft);
  const std::vector<Attachment> pictures = pictures_of(plan.before);
  if (plan.question->boxes.empty() || pictures[static_cast<size_t>(number)].sha256 != sha) return false;
  begin(std::move(plan), draft);
  return true;
}

TurnPlan ChatController::plan_question(size_t kept, const Draft& draft) const {
  TurnPlan plan{chat_id_, before(kept), Message{}, {}};
  Message& question = *plan.question;
  question.parent = plan.before.empty() ? 0 : plan.before.back().id;
  question.text = draft.text.trimmed();
  question.attachments = draft.pictures;
  question.boxes = regions_on(draft.regions, plan.before);
  question.created = QDateTime::currentDateTimeUtc();
  return plan;
}

void ChatController::begin(TurnPlan plan, const Draft& on_refusal) {
  ++generation_;
  look_ahead_.let_go();
  auto* turn = new Turn(engine_, history_, std::move(plan), this);
  turns_.push_back(turn);
  watch(turn, on_refusal);
  set_shown(turn);
  if (chat_id_ == 0) {
    title_ = title_of(turn->question() ? turn->question()->text : QString());
    emit title_changed();
  }
  take_branch(std::move(branch_), false);
  turn->start();
}

void ChatController::watch(Turn* turn, const Draft& on_refusal) {
  connect(turn, &Turn::chat_made, this, [this, turn](ChatId chat) {
    chats_.set_state(chat, "generating");
    if (turn != shown_) return;
    chat_id_ = chat;
    composer_.set_owner(chat);
    drafts_.set(0, {});
    keep_draft();
    emit chat_changed();
  });
  connect(turn, &Turn::saved, this, [this, turn] {
    chats_.set_state(turn->chat(), "generating");
    if (turn != shown_) return;
    take_branch(std::move(branch_), false);  // the ids now; siblings when the history was read
    read_branch(false);
  });
  connect(turn, &Turn::changed, this, [this, turn] {
    if (turn == shown_) refresh_live();
  });
  connect(turn, &Turn::refused, this, [this, turn, on_refusal](const Error& error) { refuse(turn, on_refusal, error); });
  connect(turn, &Turn::not_kept, this, &ChatController::report);
  connect(turn, &Turn::finished, this, [this, turn] { finish(turn); });
}

void ChatController::refuse(Turn* turn, const Draft& draft, const Error& error) {
  const bool on_screen = turn == shown_;
  if (on_screen) {
    branch_.resize(std::min(branch_.size(), turn->before().size()));
    set_shown(nullptr);
    if (chat_id_ == 0) {
      title_.clear();
      emit title_changed();
    }
    Draft back = draft;
    const Draft typed = composer_.draft();  // what was written since comes after what comes back
    if (!typed.text.isEmpty()) back.text += '\n' + typed.text;
    if (!typed.regions.empty()) back.regions = typed.regions;
    back.pictures.insert(back.pictures.end(), typed.pictures.begin(), typed.pictures.end());
    composer_.load(back, chat_id_);
    take_branch(std::move(branch_), false);
  } else {
    drafts_.set(turn->chat(), draft);
  }
  chats_.set_state(turn->chat(), "");
  drop(turn);
  report(error);
}

void ChatController::finish(Turn* turn) {
  const bool on_screen = turn == shown_, failed = !turn->answer().error.isEmpty();
  chats_.set_state(turn->chat(), failed && !on_screen ? "error" : "");
  if (on_screen) {
    show_turn(turn);
    branch_.back().blocks = answer_blocks(turn->answer());
    set_shown(nullptr);
    take_branch(std::move(branch_), false);
    if (turn->kept()) read_branch(false);
  }
  drop(turn);
}

void ChatController::drop(Turn* turn) {
  turns_.erase(std::remove(turns_.begin(), turns_.end(), turn), turns_.end());
  turn->disconnect(this);
  turn->deleteLater();
}

void ChatController::stop() {
  if (shown_) shown_->stop();
}

int ChatController::find(MessageId message, Role role) const {
  for (size_t i = branch_.size(); i-- > 0;) {
    const Message& m = branch_[i].message;
    if (m.role == role && (message == 0 || m.id == message)) return static_cast<int>(i);
  }
  return -1;
}

std::vector<Message> ChatController::before(size_t count) const {
  std::vector<Message> messages;
  for (size_t i = 0; i < std::min(count, branch_.size()); ++i) messages.push_back(branch_[i].message);
  return messages;
}

void ChatController::again(MessageId answer, const AskOptions& options) {
  const int at = find(answer, Role::assistant);
  if (busy() || opening_ || at <= 0) return;
  begin({chat_id_, before(static_cast<size_t>(at)), std::nullopt, options}, {});
}

void ChatController::regenerate(qint64 answer) {
  AskOptions options;
  options.temperature = regenerate_temperature;
  options.seed = QRandomGenerator::global()->bounded(1, 1 << 30);
  again(answer, options);
}

void ChatController::try_again(qint64 answer) {
  again(answer, {});
}

void ChatController::begin_edit(qint64 question) {
  const int at = find(question, Role::user);
  if (busy() || opening_ || at < 0 || branch_[static_cast<size_t>(at)].message.id == 0) return;
  keep_draft();
  const Message& message = branch_[static_cast<size_t>(at)].message;
  editing_ = message.id;
  composer_.load({message.text, message.attachments, regions_on(message.boxes, before(static_cast<size_t>(at)))}, editing_owner);
  emit editing_changed();
}

void ChatController::cancel_edit() {
  if (editing_ == 0) return;
  composer_.load(drafts_.get(chat_id_), chat_id_);
  editing_ = 0;
  emit editing_changed();
}

void ChatController::select_sibling(qint64 message, int by) {
  int at = find(message, Role::assistant);
  if (at < 0) at = find(message, Role::user);
  if (busy() || opening_ || at < 0) return;
  const ShownMessage& shown = branch_[static_cast<size_t>(at)];
  const auto it = std::find(shown.siblings.begin(), shown.siblings.end(), shown.message.id);
  if (it == shown.siblings.end()) return;
  const auto to = (it - shown.siblings.begin()) + by;
  if (to < 0 || to >= static_cast<std::ptrdiff_t>(shown.siblings.size())) return;
  const MessageId sibling = shown.siblings[static_cast<size_t>(to)];
  reader_.run(this, [&history = history_, sibling] { return history.newest_leaf(sibling); }, [this, chat = chat_id_](MessageId leaf) {
    history_.select_leaf(chat, leaf).then(this, [this, chat](const Result<void>& selected) {
      if (!selected) return report(selected.error());
      if (chat != chat_id_ || busy()) return;
      if (editing_ == 0) composer_.drop_regions();  // they count the pictures of the other branch
      read_branch(false);
    });
  });
}

template <class T>
void ChatController::watch_write(QFuture<Result<T>> written) {
  written.then(this, [this](const Result<T>& result) {
    if (!result) report(result.error());
  });
}

void ChatController::rename(qint64 chat, const QString& title) {
  if (title.trimmed().isEmpty()) return;
  watch_write(history_.rename_chat(chat, title.simplified()));
}

void ChatController::set_pinned(qint64 chat, bool pinned) {
  watch_write(history_.set_pinned(chat, pinned));
}

void ChatController::remove(qint64 chat) {
  for (Turn* turn : turns_) {
    if (turn->chat() == chat) turn->stop();
  }
  history_.delete_chat(chat).then(this, [this, chat, title = chats_.title_of(chat)](const Result<void>& result) {
    if (!result) return report(result.error());
    if (chat == chat_id_) new_chat();
    emit removed(chat, title);
  });
}

void ChatController::undo_remove(qint64 chat) {
  watch_write(history_.restore_chat(chat));
}

QString ChatController::text_of(qint64 message) const {
  int at = find(message, Role::assistant);
  if (at < 0) at = find(message, Role::user);
  return at < 0 ? QString() : branch_[static_cast<size_t>(at)].message.text;
}

void ChatController::report(const Error& error) {
  emit problem(QString::fromStdString(error.what), QString::fromStdString(error.cause), QString::fromStdString(error.remedy));
}

}  // namespace lava::app
