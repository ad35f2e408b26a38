#include "app/chat/turn.h"

#include "app/chat/ask_plan.h"

namespace lava::app {
namespace {

constexpr int frame_ms = 16;
constexpr int commit_ms = 1000;

QJsonObject error_object(const Error& error) {
  return {{"what", QString::fromStdString(error.what)}, {"cause", QString::fromStdString(error.cause)}, {"remedy", QString::fromStdString(error.remedy)},
          {"kind", static_cast<int>(error.kind)}};
}

}  // namespace

std::vector<Message> TurnPlan::branch() const {
  std::vector<Message> branch = before;
  if (question) branch.push_back(*question);
  return branch;
}

Turn::Turn(EngineLink& engine, HistoryStore& history, TurnPlan plan, QObject* parent)
    : QObject(parent), engine_(engine), history_(history), plan_(std::move(plan)) {
  answer_.role = Role::assistant;
  answer_.state = MessageState::streaming;
  answer_.created = QDateTime::currentDateTimeUtc();
  answer_.model = engine_.model_name();
  phase_ = {"Saving", -1};
  connect(&engine_, &EngineLink::changed, this, &Turn::on_engine);
  frame_.setSingleShot(true);
  frame_.setInterval(frame_ms);
  connect(&frame_, &QTimer::timeout, this, &Turn::changed);
  commit_timer_.setInterval(commit_ms);
  connect(&commit_timer_, &QTimer::timeout, this, [this] {
    if (dirty_) commit();
  });
}

void Turn::start() {
  engine_.load();
  if (plan_.chat == 0) make_chat();
  else if (plan_.question) add_question();
  else add_answer();
}

void Turn::make_chat() {
  history_.create_chat(title_of(plan_.question ? plan_.question->text : QString())).then(this, [this](const Result<ChatId>& made) {
    if (!made) return emit refused(made.error());
    plan_.chat = *made;
    emit chat_made(*made);
    add_question();
  });
}

void Turn::add_question() {
  plan_.question->chat = plan_.chat;
  history_.add_message(*plan_.question).then(this, [this](const Result<MessageId>& added) {
    if (!added) return emit refused(added.error());
    plan_.question->id = *added;
    add_answer();
  });
}

void Turn::add_answer() {
  answer_.chat = plan_.chat;
  answer_.parent = plan_.question ? plan_.question->id : plan_.before.empty() ? 0 : plan_.before.back().id;
  history_.add_message(answer_).then(this, [this](const Result<MessageId>& added) {
    if (added) answer_.id = *added;
    else emit not_kept(added.error());
    saved_ = true;
    emit saved();
    on_engine();
  });
}

void Turn::on_engine() {
  if (!saved_ || asking_ || ended_) return;
  if (stop_asked_ || engine_.unloaded()) return end(MessageState::stopped);
  if (awaits_restart_ && engine_.state() == EngineLink::State::ready) return;  // it is about to end
  awaits_restart_ = false;
  switch (engine_.state()) {
    case EngineLink::State::ready: return ask();
    case EngineLink::State::failed: return on_failed(engine_.error());
    case EngineLink::State::loading: return set_phase(loading_line(engine_.phase(), engine_.progress()));
    default: return set_phase({engine_.remote() ? "Connecting to " + engine_.server_name() : QString("Starting engine"), -1});
  }
}

void Turn::ask() {
  answer_.model = engine_.model_name();
  set_phase({"Sending", -1});
  AskPlan asked = ask_plan(plan_.branch(), engine_.takes_regions());
  sent_pictures_ = std::move(asked.pictures);
  asking_ = engine_.ask(asked.turns, plan_.options, this);
  connect(asking_, &Asking::progress, this, [this](const QString& phase, int done, int total) {
    if (answer_.text.isEmpty()) set_phase(asking_line(phase, done, total));
  });
  connect(asking_, &Asking::text, this, &Turn::on_text);
  connect(asking_, &Asking::done, this, &Turn::on_done);
  connect(asking_, &Asking::failed, this, &Turn::on_failed);
  connect(asking_, &Asking::cancelled, this, [this] { end(MessageState::stopped); });
  commit_timer_.start();
}

void Turn::on_text(const QString& delta) {
  if (ended_) return;
  answer_.text += delta;
  stream_.append(places_.feed(delta));
  dirty_ = true;
  set_phase({"Writing", -1});
}

void Turn::on_done(const AnswerDone& answer) {
  if (ended_) return;
  if (!answer.text.isEmpty()) answer_.text = answer.text;
  answer_.boxes = answer.boxes;
  for (GroundedBox& box : answer_.boxes) {
    if (box.picture < static_cast<int>(sent_pictures_.size())) box.picture = sent_pictures_[static_cast<size_t>(box.picture)];
  }
  answer_.timings = answer.timings;
  if (answer.finish_reason == "length") answer_.timings.insert("cut", true);
  end(MessageState::complete);
}

void Turn::on_failed(const Error& error) {
  if (ended_) return;
  if (error.kind == Error::Kind::device_lost && asking_ && !repeated_ && !engine_.remote()) return repeat();
  answer_.error = error_object(error);
  end(answer_.text.isEmpty() ? MessageState::failed : MessageState::stopped);
}

// The engine ends with its device and starts again by itself: the question is asked once more, from the beginning.
void Turn::repeat() {
  repeated_ = awaits_restart_ = true;
  drop_asking();
  answer_.text.clear();
  places_ = {};
  stream_ = {};
  dirty_ = true;
  set_phase({"Restarting the engine", -1});
  on_engine();
}

void Turn::drop_asking() {
  if (!asking_) return;
  asking_->disconnect(this);
  asking_->deleteLater();
  asking_ = nullptr;
}

void Turn::stop() {
  if (ended_) return;
  stop_asked_ = true;
  if (!saved_) return;  // ends as soon as it has its ids
  if (asking_) asking_->cancel();
  end(MessageState::stopped);
}

void Turn::end(MessageState state) {
  if (ended_) return;
  ended_ = true;
  answer_.state = state;
  frame_.stop();
  commit_timer_.stop();
  drop_asking();
  if (answer_.id == 0) {
    emit finished();
    return;
  }
  history_.update_message(answer_).then(this, [this](const Result<void>& kept) {
    kept_ = kept.has_value();
    if (!kept) emit not_kept(kept.error());
    emit finished();
  });
  emit changed();
}

void Turn::commit() {
  dirty_ = false;
  if (answer_.id == 0) return;
  history_.update_message(answer_).then(this, [this](const Result<void>& kept) {
    if (!kept && !warned_) emit not_kept(kept.error());
    warned_ = warned_ || !kept;
  });
}

void Turn::set_phase(const PhaseLine& phase) {
  phase_ = phase;
  if (!frame_.isActive()) frame_.start();
}

}  // namespace lava::app
