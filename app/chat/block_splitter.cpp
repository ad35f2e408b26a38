#include "app/chat/block_splitter.h"

namespace lava::app {
namespace {

enum class Kind { none, paragraph, list, quote, fence, single };

struct Line {
  QStringView text;  // without indentation and line end
  int indent = 0;
  bool blank = true;
};

Line read_line(QStringView raw) {
  Line line;
  qsizetype at = 0;
  for (; at < raw.size() && (raw[at] == ' ' || raw[at] == '\t'); ++at) line.indent += raw[at] == '\t' ? 4 : 1;
  line.text = raw.mid(at).trimmed();
  line.blank = line.text.isEmpty();
  return line;
}

int run_length(QStringView text, QChar mark) {
  int count = 0;
  while (count < text.size() && text[count] == mark) ++count;
  return count;
}

// Length of the fence that opens here, 0 if none.
int fence_length(QStringView text) {
  if (text.isEmpty() || (text[0] != '`' && text[0] != '~')) return 0;
  const int length = run_length(text, text[0]);
  if (length < 3) return 0;
  return text[0] == '`' && text.mid(length).contains('`') ? 0 : length;
}

bool is_heading(const Line& line) {
  const int marks = run_length(line.text, '#');
  return line.indent < 4 && marks >= 1 && marks <= 6 && (line.text.size() == marks || line.text[marks] == ' ' || line.text[marks] == '\t');
}

bool is_rule(const Line& line) {
  if (line.indent > 3 || line.text.size() < 3) return false;
  const QChar mark = line.text[0];
  if (mark != '-' && mark != '*' && mark != '_') return false;
  int marks = 0;
  for (const QChar c : line.text) {
    if (c == mark) ++marks;
    else if (c != ' ' && c != '\t') return false;
  }
  return marks >= 3;
}

// '-', '*', '+' for bullets, '.' or ')' for numbers, null if this line begins no list item.
QChar list_mark(const Line& line) {
  if (line.blank || is_rule(line)) return {};
  const QStringView text = line.text;
  qsizetype at = 0;
  if (text[0] == '-' || text[0] == '*' || text[0] == '+') {
    at = 1;
  } else {
    while (at < text.size() && at < 9 && text[at].isDigit() && text[at].unicode() < 128) ++at;
    if (at == 0 || at == text.size() || (text[at] != '.' && text[at] != ')')) return {};
    ++at;
  }
  return at == text.size() || text[at] == ' ' || text[at] == '\t' ? text[at - 1] : QChar();
}

class Splitter {
 public:
  // True if this line begins a new piece.
  bool begins(QStringView raw) {
    const Line line = read_line(raw);
    if (fence_ > 0) {
      if (closes(line)) {
        fence_ = 0;
        if (kind_ == Kind::fence) kind_ = Kind::none;
      }
      return false;
    }
    if (line.blank) {
      after_blank_ = true;
      if (kind_ == Kind::paragraph || kind_ == Kind::quote || kind_ == Kind::single) kind_ = Kind::none;
      return false;
    }
    const bool fresh = is_new(line);
    if (fresh) start(line);
    open_fence(line);
    after_blank_ = false;
    return fresh;
  }

 private:
  bool closes(const Line& line) const {
    if (line.indent > 3 + fence_indent_ || line.blank || line.text[0] != fence_mark_) return false;
    const int length = run_length(line.text, fence_mark_);
    return length >= fence_ && length == line.text.size();
  }

  bool is_new(const Line& line) const {
    if (kind_ == Kind::none || kind_ == Kind::single) return true;
    if (kind_ == Kind::list) {
      if (line.indent >= 2) return false;
      if (!list_mark(line).isNull()) return list_mark(line) != mark_;
      return after_blank_ || is_heading(line) || is_rule(line) || fence_length(line.text) > 0 || line.text[0] == '>';
    }
    if (line.indent > 3) return false;
    const bool rule = is_rule(line) && (kind_ == Kind::quote || line.text[0] != '-');  // "---" under a paragraph makes it a heading
    return is_heading(line) || rule || fence_length(line.text) > 0 || (kind_ == Kind::paragraph && line.text[0] == '>');
  }

  void start(const Line& line) {
    mark_ = line.indent < 4 ? list_mark(line) : QChar();
    if (line.indent < 4 && fence_length(line.text) > 0) kind_ = Kind::fence;
    else if (is_heading(line) || is_rule(line)) kind_ = Kind::single;
    else if (!mark_.isNull()) kind_ = Kind::list;
    else if (line.indent < 4 && line.text[0] == '>') kind_ = Kind::quote;
    else kind_ = Kind::paragraph;
  }

  void open_fence(const Line& line) {
    Line inner = line;
    if (kind_ == Kind::list && !list_mark(line).isNull()) {  // "- ```" opens a fence inside the item
      const qsizetype space = line.text.indexOf(' ');
      if (space > 0) inner.text = line.text.mid(space).trimmed();
    } else if (kind_ != Kind::fence && kind_ != Kind::list) {
      return;
    }
    const int length = fence_length(inner.text);
    if (length == 0) return;
    fence_ = length;
    fence_mark_ = inner.text[0];
    fence_indent_ = kind_ == Kind::list ? line.indent + 4 : 0;
  }

  Kind kind_ = Kind::none;
  QChar mark_, fence_mark_;
  int fence_ = 0, fence_indent_ = 0;
  bool after_blank_ = false;
};

}  // namespace

std::vector<Piece> split_pieces(QStringView source, qsizetype from) {
  std::vector<Piece> pieces;
  Splitter splitter;
  for (qsizetype at = from; at < source.size();) {
    const qsizetype newline = source.indexOf(u'\n', at);
    const qsizetype end = newline < 0 ? source.size() : newline + 1;
    if (splitter.begins(source.mid(at, end - at))) {
      if (!pieces.empty()) pieces.back().end = at;
      pieces.push_back({at, end, newline >= 0});
    }
    if (!pieces.empty()) pieces.back().end = end;
    at = end;
  }
  return pieces;
}

}  // namespace lava::app
