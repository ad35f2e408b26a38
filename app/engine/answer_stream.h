// The events of one streamed answer (docs/api.md) put together; no thread and no network of its own.
#pragma once
#include <QJsonObject>
#include <functional>
#include <optional>

#include "app/engine/engine_client.h"
#include "app/engine/sse_parser.h"

namespace lava::app {

struct AnswerSink {
  std::function<void(const QString& phase, int done, int total)> progress;
  std::function<void(const QString& delta)> text;
};

class AnswerStream {
 public:
  explicit AnswerStream(AnswerSink sink);
  bool feed(QByteArrayView bytes);  // false: no more is wanted, see result()
  Result<AnswerDone> result();      // after the last byte: the answer, or why there is none

 private:
  void event(const QByteArray& data);
  void chunk(const QJsonObject& object);
  void add_text(const QString& delta);
  AnswerSink sink_;
  SseParser parser_;
  AnswerDone answer_;
  QJsonObject extra_;  // the `lavascope` object of the last chunk
  QString held_;       // first half of a surrogate pair
  std::optional<Error> error_;
  bool ended_ = false;
};

// Error of an answer that is not 200, from its body.
Error answer_error(long status, const QByteArray& body);
// The error in a body, whatever shape its server gives it: `message`, and what else there is.
QJsonObject error_in(const QJsonObject& body);
Error error_of_json(const QJsonObject& error, const std::string& what);
// Byte offset in the UTF-8 form -> offset in UTF-16; out of range is clamped.
int utf16_offset(const QByteArray& utf8, double byte);
std::vector<GroundedBox> read_boxes(const QJsonArray& boxes, const QString& text);
// JSON also when the bytes are not valid UTF-8: those become U+FFFD.
std::optional<QJsonObject> lenient_json(const QByteArray& bytes);

}  // namespace lava::app
