#include "app/engine/answer_stream.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <cmath>

#include "kernels/error_names.h"

namespace lava::app {

std::optional<QJsonObject> lenient_json(const QByteArray& bytes) {
  QJsonParseError problem;
  QJsonDocument document = QJsonDocument::fromJson(bytes, &problem);
  if (problem.error == QJsonParseError::IllegalUTF8String) document = QJsonDocument::fromJson(QString::fromUtf8(bytes).toUtf8(), &problem);
  if (problem.error != QJsonParseError::NoError || !document.isObject()) return std::nullopt;
  return document.object();
}

static Error::Kind kind_of_code(const QString& code) {
  const auto found = std::find(std::begin(error_names), std::end(error_names), code.toStdString());
  return found == std::end(error_names) ? Error::Kind::internal : static_cast<Error::Kind>(found - std::begin(error_names));
}

Error error_of_json(const QJsonObject& error, const std::string& what) {
  Error result;
  result.kind = kind_of_code(error["code"].toString());
  const std::string said = error["message"].toString().toStdString();
  result.what = said.empty() ? what : said;
  result.cause = error["cause"].toString().toStdString();
  result.remedy = error["remedy"].toString().toStdString();
  while (!result.what.empty() && result.what.back() == '.') result.what.pop_back();
  while (!result.remedy.empty() && result.remedy.back() == '.') result.remedy.pop_back();
  return result;
}

QJsonObject error_in(const QJsonObject& body) {
  const QJsonValue error = body["error"];
  if (error.isObject()) return error.toObject();
  const QJsonValue text = error.isString() ? error : body["detail"].isString() ? body["detail"] : body["message"];
  return text.isString() ? QJsonObject{{"message", text.toString().left(500)}} : QJsonObject();
}

Error answer_error(long status, const QByteArray& body) {
  const auto json = lenient_json(body);
  const QJsonObject told = json ? error_in(*json) : QJsonObject();
  Error error = error_of_json(told, "The engine did not accept the question");
  if (error.cause.empty() && told.isEmpty()) error.cause = "it answered with status " + std::to_string(status);
  using Kind = Error::Kind;
  switch (status) {
    case 401:
    case 403: return {Kind::invalid, "The engine refused the access token", error.cause, "Check the address and the token of the engine"};
    case 400: error.kind = Kind::invalid; break;
    case 404: error.kind = Kind::not_found; break;
    case 413: error.kind = Kind::too_large; break;
    case 422: error.kind = Kind::unsupported; break;
    case 429:
      error.kind = Kind::busy;
      if (error.remedy.empty()) error.remedy = "Wait until another question is answered, then try again";
      break;
    case 503:
      if (error.kind == Kind::device_lost) break;
      error.kind = Kind::busy;
      if (error.remedy.empty()) error.remedy = "Wait until the model is loaded, then try again";
      break;
    default: break;
  }
  return error;
}

int utf16_offset(const QByteArray& utf8, double byte) {
  if (!(byte > 0)) return 0;
  const qsizetype end = byte >= static_cast<double>(utf8.size()) ? utf8.size() : static_cast<qsizetype>(byte);
  int units = 0;
  for (qsizetype i = 0; i < end; ++i) {
    const auto b = static_cast<unsigned char>(utf8[i]);
    if ((b & 0xC0) != 0x80) units += b >= 0xF0 ? 2 : 1;
  }
  return units;
}

std::vector<GroundedBox> read_boxes(const QJsonArray& boxes, const QString& text) {
  const QByteArray utf8 = text.toUtf8();
  std::vector<GroundedBox> result;
  for (const QJsonValue value : boxes) {
    const QJsonObject object = value.toObject();
    const QJsonArray corners = object["box"].toArray();
    if (corners.size() != 4) continue;
    GroundedBox box{object["label"].toString(), corners[0].toDouble(NAN), corners[1].toDouble(NAN), corners[2].toDouble(NAN),
                    corners[3].toDouble(NAN)};
    if (!std::isfinite(box.x1) || !std::isfinite(box.y1) || !std::isfinite(box.x2) || !std::isfinite(box.y2)) continue;
    box.start = utf16_offset(utf8, object["start"].toDouble());
    box.end = std::max(box.start, utf16_offset(utf8, object["end"].toDouble()));
    const QJsonArray mark = object["mark"].toArray();
    if (mark.size() == 2) {
      box.mark_start = utf16_offset(utf8, mark[0].toDouble());
      box.mark_end = std::max(box.mark_start, utf16_offset(utf8, mark[1].toDouble()));
    }
    box.picture = std::max(0, object["picture"].toInt());
    result.push_back(box);
  }
  return result;
}

AnswerStream::AnswerStream(AnswerSink sink) : sink_(std::move(sink)), parser_([this](const QByteArray& data) { event(data); }) {}

bool AnswerStream::feed(QByteArrayView bytes) {
  if (!parser_.feed(bytes) && !error_)
    error_ = Error{Error::Kind::invalid, "The engine sent an answer that cannot be read", "one event is larger than 16 MB",
                   "Restart the engine"};
  return !ended_ && !error_;
}

void AnswerStream::event(const QByteArray& data) {
  if (ended_ || error_) return;
  if (data.trimmed() == "[DONE]") {
    ended_ = true;
    return;
  }
  const auto object = lenient_json(data);
  if (!object) {
    error_ = Error{Error::Kind::invalid, "The engine sent an answer that cannot be read", "an event is not JSON", "Restart the engine"};
  } else if (object->contains("error")) {
    error_ = error_of_json((*object)["error"].toObject(), "The engine could not finish the answer");
  } else {
    chunk(*object);
  }
}

void AnswerStream::chunk(const QJsonObject& object) {
  const QJsonObject extra = object["lavascope"].toObject();
  if (extra.contains("phase")) sink_.progress(extra["phase"].toString(), extra["done"].toInt(), extra["total"].toInt());
  for (auto it = extra.begin(); it != extra.end(); ++it) extra_[it.key()] = it.value();
  const QJsonArray choices = object["choices"].toArray();
  if (choices.isEmpty()) return;
  const QJsonObject choice = choices[0].toObject();
  add_text(choice["delta"].toObject()["content"].toString());
  if (const QString reason = choice["finish_reason"].toString(); !reason.isEmpty()) answer_.finish_reason = reason;
}

void AnswerStream::add_text(const QString& delta) {
  QString text = std::exchange(held_, {}) + delta;
  if (!text.isEmpty() && text.back().isHighSurrogate()) {
    held_ = text.right(1);
    text.chop(1);
  }
  if (text.isEmpty()) return;
  answer_.text += text;
  sink_.text(text);
}

Result<AnswerDone> AnswerStream::result() {
  if (error_) return tl::unexpected(*error_);
  if (!ended_)
    return fail(Error::Kind::io, "The engine stopped in the middle of the answer", "the connection ended early",
                "Ask again, or restart the engine");
  answer_.boxes = read_boxes(extra_["boxes"].toArray(), answer_.text);
  answer_.timings = extra_["timings"].toObject();
  return answer_;
}

}  // namespace lava::app
