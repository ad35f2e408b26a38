// Server-sent events out of bytes that arrive in any pieces.
#pragma once
#include <QByteArray>
#include <functional>

namespace lava::app {

class SseParser {
 public:
  static constexpr qsizetype most_bytes = 16 << 20;  // of one event; a server that sends more is broken
  using OnEvent = std::function<void(const QByteArray& data)>;
  explicit SseParser(OnEvent on_event) : on_event_(std::move(on_event)) {}
  bool feed(QByteArrayView bytes);  // false: an event is too large

 private:
  void line(QByteArrayView text);
  OnEvent on_event_;
  QByteArray line_, data_;
  bool has_data_ = false, after_cr_ = false, first_line_ = true;
};

}  // namespace lava::app
