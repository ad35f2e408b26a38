#include "app/engine/engine_client.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <thread>

#include "app/engine/answer_stream.h"
#include "app/engine/http_call.h"

namespace lava::app {
namespace {

constexpr qsizetype most_error_bytes = 1 << 20;

QString role_word(Role role) { return role == Role::system ? "system" : role == Role::assistant ? "assistant" : "user"; }

QJsonArray regions_of(const TurnContent& turn) {
  QJsonArray regions;
  for (const QRectF& r : turn.regions) regions.append(QJsonArray{r.left(), r.top(), r.right(), r.bottom()});
  return regions;
}

QJsonValue content_of(const TurnContent& turn) {
  if (turn.pictures.empty()) return turn.text;
  QJsonArray parts;
  for (size_t i = 0; i < turn.pictures.size(); ++i) {
    const QString type = i < turn.picture_types.size() ? turn.picture_types[i] : QString("application/octet-stream");
    const QString url = "data:" + type + ";base64," + QString::fromLatin1(turn.pictures[i].toBase64());
    QJsonObject part{{"type", "image_url"}, {"image_url", QJsonObject{{"url", url}}}};
    if (i + 1 == turn.pictures.size() && !turn.regions.empty()) part["regions"] = regions_of(turn);
    parts.append(part);
  }
  parts.append(QJsonObject{{"type", "text"}, {"text", turn.text}});
  return parts;
}

QByteArray request_body(const std::vector<TurnContent>& turns, const AskOptions& options) {
  QJsonArray messages;
  for (const TurnContent& turn : turns) messages.append(QJsonObject{{"role", role_word(turn.role)}, {"content", content_of(turn)}});
  QJsonObject body{{"messages", messages},
                   {"stream", true},
                   {"stream_options", QJsonObject{{"include_usage", true}}},
                   {"max_tokens", options.max_tokens},
                   {"temperature", options.temperature}};
  if (options.model.isEmpty()) {
    body["lavascope"] = QJsonObject{{"events", true}};
  } else {
    body["model"] = options.model;
  }
  if (options.seed) body["seed"] = *options.seed;
  return QJsonDocument(body).toJson(QJsonDocument::Compact);
}

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
      request.body = request_body(turns, options);
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
  HttpRequest request;
  QString base = server.toString(QUrl::StripTrailingSlash | QUrl::RemoveQuery | QUrl::RemoveFragment);
  if (base.endsWith("/v1")) base.chop(3);
  request.url = (base + "/v1/chat/completions").toUtf8();
  request.token = token.toUtf8();
  request.post = true;
  impl_->start(std::move(request), std::move(turns), options);
}

Question::~Question() = default;
void Question::cancel() { impl_->cancel(); }

}  // namespace lava::app
