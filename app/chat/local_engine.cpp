#include "app/chat/local_engine.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

#include "app/engine/http_call.h"
#include "app/engine/preparation.h"
#include "app/settings/preferences.h"

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

// Reads the pictures first, then hands over to a Question.
class LocalAsking : public Asking {
 public:
  using Asking::Asking;

  void ask(const QUrl& url, const QString& token, const Result<std::vector<TurnContent>>& turns, const AskOptions& options) {
    if (over_) return;
    if (!turns) {
      over_ = true;
      emit failed(turns.error());
      return;
    }
    question_ = new Question(url, token, *turns, options, this);
    connect(question_, &Question::progress, this, &Asking::progress);
    connect(question_, &Question::text, this, &Asking::text);
    connect(question_, &Question::done, this, &Asking::done);
    connect(question_, &Question::failed, this, &Asking::failed);
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

class LocalPreparing : public Preparing {
 public:
  using Preparing::Preparing;

  void begin(const QUrl& url, const QString& token, const Result<std::vector<TurnContent>>& turns) {
    if (!turns) return emit failed(turns.error());
    auto* preparation = new Preparation(url, token, *turns, this);
    connect(preparation, &Preparation::done, this, [this](const QJsonObject& told) { emit done(told["timings"].toObject()); });
    connect(preparation, &Preparation::failed, this, &Preparing::failed);
  }
};

}  // namespace

LocalEngine::LocalEngine(const MediaStore& media, QObject* parent) : EngineLink(parent), media_(media) {
  connect(&process_, &EngineProcess::state_changed, this, &EngineLink::changed);
  connect(&process_, &EngineProcess::progress_changed, this, [this](double, const QString& phase) {
    phase_ = phase;
    emit changed();
  });
  connect(&finder_, &DeviceFinder::changed, this, &EngineLink::devices_changed);
  connect(&finder_, &DeviceFinder::changed, this, &EngineLink::changed);  // the list knows the memory of what computes
}

void LocalEngine::start(const EngineOptions& options) {
  options_ = options;
  process_.start(options);
}

// An answer under way would end with its engine, as a failure: it is stopped instead, and keeps what was written.
void LocalEngine::start_again() {
  for (const QPointer<Asking>& asking : std::exchange(askings_, {}))
    if (asking) asking->cancel();
  process_.start(EngineOptions(options_));
}

void LocalEngine::restart() {
  start_again();
}

void LocalEngine::use_model(const QString& path) {
  options_.model = path;
  start_again();
}

void LocalEngine::find_devices() {
  finder_.find(options_.program);
}

void LocalEngine::use_device(const QString& choice) {
  if (choice == device_choice() && state() != State::failed) return;
  options_.device = choice;
  const Result<void> kept = preferences::set_device(choice);
  not_kept_ = kept ? QString() : tr("This holds until the window closes. %1").arg(QString::fromStdString(kept.error().message()));
  start_again();
  emit devices_changed();
}

FoundDevices LocalEngine::found_devices() const {
  FoundDevices found = finder_.found();
  if (!not_kept_.isEmpty()) found.notes.prepend(not_kept_);
  return found;
}

Asking* LocalEngine::ask(const std::vector<AskTurn>& turns, const AskOptions& options, QObject* parent) {
  auto* asking = new LocalAsking(parent);
  std::erase_if(askings_, [](const QPointer<Asking>& one) { return !one; });
  askings_.push_back(asking);
  pictures_.run(asking, [&media = media_, turns] { return read_turns(media, turns); },
                  [asking, url = process_.url(), token = process_.token(), options](const Result<std::vector<TurnContent>>& contents) {
                    asking->ask(url, token, contents, options);
                  });
  return asking;
}

Preparing* LocalEngine::prepare(const std::vector<AskTurn>& turns, QObject* parent) {
  auto* preparing = new LocalPreparing(parent);
  pictures_.run(preparing, [&media = media_, turns] { return read_turns(media, turns); },
                [preparing, url = process_.url(), token = process_.token()](const Result<std::vector<TurnContent>>& contents) {
                  preparing->begin(url, token, contents);
                });
  return preparing;
}

void LocalEngine::count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) {
  const QJsonObject body{{"width", width}, {"height", height}, {"pictures", 1}};
  HttpRequest request;
  request.url = (process_.url().toString(QUrl::StripTrailingSlash) + "/v1/lavascope/views").toUtf8();
  request.token = process_.token().toUtf8();
  request.body = QJsonDocument(body).toJson(QJsonDocument::Compact);
  request.post = true;
  request.timeout_ms = views_timeout_ms;
  views_.run(context, [request] { return read_tokens(request); }, std::move(then));
}

}  // namespace lava::app
