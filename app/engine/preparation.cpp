#include "app/engine/preparation.h"

#include "app/engine/answer_stream.h"
#include "app/engine/chat_request.h"

namespace lava::app {
namespace {

constexpr qsizetype most_bytes = 1 << 20;  // of the engine's answer

}  // namespace

Preparation::Preparation(const QUrl& server, const QString& token, std::vector<TurnContent> turns, QObject* parent) : QObject(parent) {
  thread_ = std::thread([this, request = engine_call(server, token, "/v1/lavascope/prepare"), turns = std::move(turns)]() mutable {
    request.body = conversation_body(turns);
    turns.clear();
    run(std::move(request));
  });
}

Preparation::~Preparation() {
  call_.cancel();
  thread_.join();
}

void Preparation::run(HttpRequest request) {
  QByteArray body;
  const HttpOutcome outcome = call_.perform(request, [&](long, QByteArrayView bytes) {
    body.append(bytes.first(std::min(bytes.size(), most_bytes - body.size())));
    return body.size() < most_bytes;
  });
  const auto told = lenient_json(body);
  QMetaObject::invokeMethod(
      this,
      [this, outcome, told, body] {
        if (outcome.status == 200 && told) return emit done(*told);
        if (outcome.status != 0) return emit failed(answer_error(outcome.status, body));
        emit failed({Error::Kind::io, "The engine cannot be reached", outcome.cause, "Start the engine again"});
      },
      Qt::QueuedConnection);
}

}  // namespace lava::app
