#include "app/engine/engine_client.h"

#include <thread>

#include "app/engine/answer_stream.h"
#include "app/engine/chat_request.h"

namespace lava::app {
namespace {

constexpr qsizetype most_error_bytes = 1 << 20;

Error lost_error(const HttpOutcome& outcome, bool began) {
  if (outcome.end == HttpOutcome::End::refused)
    return {Error::Kind::io, "The engine cannot be reached", outcome.cause, "Start the engine again, or check its address"};
  return {Error::Kind::io, began ? "The engine stopped in the middle of the answer" : "The engine stopped before it answered",
          outcome.cause, "Ask again, or restart the engine"};
}

}  // namespace

class Question::Impl {
 public:
  explicit Impl(Question* owner) : owner_(owner) {}
  ~Impl() {
    call_.cancel();
    if (thread_.joinable()) thread_.join();
  }

  void start(HttpRequest request, std::vector<TurnContent> turns, AskOptions options) {
    thread_ = std::thread([this, request = std::move(request), turns = std::move(turns), options]() mutable {
      request.body = question_body(turns, options);
      turns.clear();
      Result<AnswerDone> result = run(request);
      tell([this, result = std::move(result)] {
        over_ = true;
        if (result)
          emit owner_->done(*result);
        else
          emit owner_->failed(result.error());
      });
    });
  }

  void cancel() {
    if (over_) return;
    over_ = true;
    call_.cancel();
    QMetaObject::invokeMethod(
        owner_, [this] { emit owner_->cancelled(); }, Qt::QueuedConnection);
  }

 private:
  // On the owner's thread, unless the question is over by then.
  void tell(std::function<void()> what) {
    QMetaObject::invokeMethod(
        owner_,
        [this, what = std::move(what)] {
          if (!over_) what();
        },
        Qt::QueuedConnection);
  }

  Result<AnswerDone> run(const HttpRequest& request) {
    AnswerStream stream(
        {[this](const QString& phase, int done, int total) { tell([=, this] { emit owner_->progress(phase, done, total); }); },
         [this](const QString& delta) { tell([=, this] { emit owner_->text(delta); }); }});
    QByteArray refusal;
    bool began = false;
    const HttpOutcome outcome = call_.perform(request, [&](long status, QByteArrayView bytes) {
      if (status != 200) {
        refusal.append(bytes.first(std::min(bytes.size(), most_error_bytes - refusal.size())));
        return refusal.size() < most_error_bytes;
      }
      began = true;
      return stream.feed(bytes);
    });
    if (outcome.status != 0 && outcome.status != 200) return tl::unexpected(answer_error(outcome.status, refusal));
    Result<AnswerDone> result = stream.result();
    // An answer that is whole, or an error that the engine told, counts more than how the connection ended.
    if (!result && outcome.end != HttpOutcome::End::complete && outcome.end != HttpOutcome::End::cancelled)
      return tl::unexpected(lost_error(outcome, began));
    return result;
  }

  Question* owner_;
  HttpCall call_;
  std::thread thread_;
  bool over_ = false;  // owner's thread only
};

Question::Question(const QUrl& server, const QString& token, std::vector<TurnContent> turns, const AskOptions& options, QObject* parent)
    : QObject(parent), impl_(std::make_unique<Impl>(this)) {
  impl_->start(engine_call(server, token, "/v1/chat/completions"), std::move(turns), options);
}

Question::~Question() = default;
void Question::cancel() { impl_->cancel(); }

}  // namespace lava::app
