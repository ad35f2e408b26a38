#include "app/chat/question_wire.h"

#include <QJsonDocument>
#include <QJsonObject>

#include "app/engine/chat_request.h"
#include "app/engine/preparation.h"

namespace lava::app {
namespace {

constexpr long views_timeout_ms = 2000;
constexpr qsizetype most_views_bytes = 4 << 20;

Result<std::vector<TurnContent>> read_turns(const MediaStore& media, const std::vector<AskTurn>& turns) {
  std::vector<TurnContent> contents;
  for (const AskTurn& turn : turns) {
    TurnContent content{turn.role, turn.text, {}, {}, turn.regions};
    for (const Attachment& picture : turn.pictures) {
      LAVA_TRY(QByteArray bytes, media.read(picture.sha256));
      content.pictures.push_back(std::move(bytes));
      content.picture_types.push_back(picture.mime);
    }
    contents.push_back(std::move(content));
  }
  return contents;
}

std::optional<int> read_tokens(const HttpRequest& request) {
  QByteArray body;
  HttpCall call;
  const HttpOutcome outcome = call.perform(request, [&](long, QByteArrayView bytes) {
    body.append(bytes.data(), bytes.size());
    return body.size() < most_views_bytes;
  });
  const QJsonValue tokens = QJsonDocument::fromJson(body).object().value("tokens");
  if (outcome.status != 200 || !tokens.isDouble()) return std::nullopt;
  return tokens.toInt();
}

// Nobody restarts an engine on another computer from here.
Error seen_from_afar(Error error) {
  if (error.kind == Error::Kind::io || error.kind == Error::Kind::device_lost) error.remedy = "Ask again; if that fails, see whether the engine there runs";
  return error;
}

// Reads the pictures first, then hands over to a Question.
class WireAsking : public Asking {
 public:
  using Asking::Asking;

  void ask(const WireEnd& end, const Result<std::vector<TurnContent>>& turns, const AskOptions& options) {
    if (over_) return;
    if (!turns) {
      over_ = true;
      emit failed(turns.error());
      return;
    }
    question_ = new Question(end.url, end.token, *turns, options, this);
    connect(question_, &Question::progress, this, &Asking::progress);
    connect(question_, &Question::text, this, &Asking::text);
    connect(question_, &Question::done, this, &Asking::done);
    connect(question_, &Question::failed, this, [this, elsewhere = !end.server.isEmpty()](const Error& error) { emit failed(elsewhere ? seen_from_afar(error) : error); });
    connect(question_, &Question::cancelled, this, &Asking::cancelled);
  }

  void cancel() override {
    if (question_) return question_->cancel();
    if (over_) return;
    over_ = true;
    emit cancelled();
  }

 private:
  Question* question_ = nullptr;
  bool over_ = false;
};

class WirePreparing : public Preparing {
 public:
  using Preparing::Preparing;

  void begin(const WireEnd& end, const Result<std::vector<TurnContent>>& turns) {
    if (!turns) return emit failed(turns.error());
    auto* preparation = new Preparation(end.url, end.token, *turns, this);
    connect(preparation, &Preparation::done, this, [this](const QJsonObject& told) { emit done(told["timings"].toObject()); });
    connect(preparation, &Preparation::failed, this, &Preparing::failed);
  }
};

}  // namespace

Asking* QuestionWire::ask(const WireEnd& end, const std::vector<AskTurn>& turns, AskOptions options, QObject* parent) {
  auto* asking = new WireAsking(parent);
  options.model = end.model;
  pictures_.run(asking, [&media = media_, turns] { return read_turns(media, turns); },
                [asking, end, options](const Result<std::vector<TurnContent>>& contents) { asking->ask(end, contents, options); });
  return asking;
}

Preparing* QuestionWire::prepare(const WireEnd& end, const std::vector<AskTurn>& turns, QObject* parent) {
  auto* preparing = new WirePreparing(parent);
  pictures_.run(preparing, [&media = media_, turns] { return read_turns(media, turns); },
                [preparing, end](const Result<std::vector<TurnContent>>& contents) { preparing->begin(end, contents); });
  return preparing;
}

void QuestionWire::count_tokens(const WireEnd& end, int width, int height, QObject* context, std::function<void(std::optional<int>)> then) {
  if (!end.model.isEmpty()) return then(std::nullopt);
  HttpRequest request = engine_call(end.url, end.token, "/v1/lavascope/views");
  request.body = QJsonDocument(QJsonObject{{"width", width}, {"height", height}, {"pictures", 1}}).toJson(QJsonDocument::Compact);
  request.timeout_ms = views_timeout_ms;
  views_.run(context, [request] { return read_tokens(request); }, std::move(then));
}

}  // namespace lava::app
