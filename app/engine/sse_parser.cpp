#include "app/engine/sse_parser.h"

namespace lava::app {

bool SseParser::feed(QByteArrayView bytes) {
  qsizetype start = 0;
  for (qsizetype i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\n' && after_cr_) {  // the second half of CR LF, perhaps in another piece
      after_cr_ = false;
      start = i + 1;
      continue;
    }
    after_cr_ = c == '\r';
    if (c != '\n' && c != '\r') continue;
    line_.append(bytes.sliced(start, i - start));
    start = i + 1;
    const QByteArray whole = std::exchange(line_, {});
    line(whole);
  }
  line_.append(bytes.sliced(start));
  return line_.size() <= most_bytes && data_.size() <= most_bytes;
}

void SseParser::line(QByteArrayView text) {
  if (std::exchange(first_line_, false) && text.startsWith("\xEF\xBB\xBF")) text = text.sliced(3);
  if (text.isEmpty()) {
    if (std::exchange(has_data_, false)) on_event_(std::exchange(data_, {}));
    return;
  }
  // Comments begin with a colon; the other fields (event, id, retry) say nothing that we need.
  if (!text.startsWith("data")) return;
  QByteArrayView value = text.sliced(4);
  if (!value.isEmpty() && !value.startsWith(':')) return;
  if (value.startsWith(':')) value = value.sliced(1);
  if (value.startsWith(' ')) value = value.sliced(1);
  if (has_data_) data_.append('\n');
  has_data_ = true;
  data_.append(value);
}

}  // namespace lava::app
