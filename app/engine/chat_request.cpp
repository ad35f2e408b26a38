#include "app/engine/chat_request.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace lava::app {
namespace {

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

QJsonArray messages_of(const std::vector<TurnContent>& turns) {
  QJsonArray messages;
  for (const TurnContent& turn : turns) messages.append(QJsonObject{{"role", role_word(turn.role)}, {"content", content_of(turn)}});
  return messages;
}

}  // namespace

HttpRequest engine_call(const QUrl& server, const QString& token, const char* path) {
  HttpRequest request;
  QString base = server.toString(QUrl::StripTrailingSlash | QUrl::RemoveQuery | QUrl::RemoveFragment);
  if (base.endsWith("/v1")) base.chop(3);
  request.url = (base + path).toUtf8();
  request.token = token.toUtf8();
  request.post = true;
  return request;
}

QByteArray question_body(const std::vector<TurnContent>& turns, const AskOptions& options) {
  QJsonObject body{{"messages", messages_of(turns)},
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

QByteArray conversation_body(const std::vector<TurnContent>& turns) {
  return QJsonDocument(QJsonObject{{"messages", messages_of(turns)}}).toJson(QJsonDocument::Compact);
}

}  // namespace lava::app
