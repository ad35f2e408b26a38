#include "app/chat/markdown_blocks.h"

#include <md4c.h>

#include <QUrl>

#include "app/chat/block_splitter.h"
#include "app/chat/phrase_marks.h"

namespace lava::app {
namespace {

QString entity(const QString& name) {
  static const std::pair<const char*, char16_t> known[] = {{"&amp;", '&'},       {"&lt;", '<'},         {"&gt;", '>'},
                                                           {"&quot;", '"'},      {"&apos;", '\''},      {"&nbsp;", 0xA0},
                                                           {"&hellip;", 0x2026}, {"&ndash;", 0x2013},   {"&mdash;", 0x2014},
                                                           {"&times;", 0xD7},    {"&deg;", 0xB0},       {"&copy;", 0xA9}};
  for (const auto& [text, code] : known) {
    if (name == QLatin1String(text)) return QString(QChar(code));
  }
  if (!name.startsWith("&#")) return name;
  bool ok = false;
  const bool hex = name.size() > 3 && (name[2] == 'x' || name[2] == 'X');
  const uint code = name.mid(hex ? 3 : 2, name.size() - (hex ? 4 : 3)).toUInt(&ok, hex ? 16 : 10);
  const bool shown = ok && code >= 32 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF) && !(code >= 0xFDD0 && code <= 0xFDEF);
  const char32_t point = code;
  return shown ? QString::fromUcs4(&point, 1) : QString(QChar(QChar::ReplacementCharacter));
}

QString attribute(const MD_ATTRIBUTE& value) {
  QString text;
  for (unsigned i = 0; value.substr_offsets && value.substr_offsets[i] < value.size; ++i) {
    const MD_OFFSET start = value.substr_offsets[i];
    const QString part = QString::fromUtf8(value.text + start, value.substr_offsets[i + 1] - start);
    text += value.substr_types[i] == MD_TEXT_ENTITY ? entity(part) : part;
  }
  text.removeIf([](QChar c) { return is_mark(c); });
  return text;
}

// Web and mail addresses can be opened; anything else stays text.
QString safe_address(const QString& text) {
  const QUrl url(text, QUrl::TolerantMode);
  const QString scheme = url.scheme().toLower();
  const bool web = (scheme == "http" || scheme == "https") && !url.host().isEmpty();
  return url.isValid() && (web || scheme == "mailto") ? QString::fromUtf8(url.toEncoded()) : QString();
}

class Reader {
 public:
  Reader(std::vector<Block>& out, const std::vector<MarkedPhrase>& phrases) : out_(out), phrases_(phrases) {}

  void read(QStringView source) {
    const QByteArray utf8 = source.toUtf8();
    MD_PARSER parser{};
    parser.flags = MD_FLAG_NOHTML | MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_TASKLISTS | MD_FLAG_PERMISSIVEURLAUTOLINKS;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* self) { return static_cast<Reader*>(self)->enter(type, detail), 0; };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* self) { return static_cast<Reader*>(self)->leave(type), 0; };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* self) { return static_cast<Reader*>(self)->span(type, detail), 0; };
    parser.leave_span = [](MD_SPANTYPE type, void*, void* self) { return static_cast<Reader*>(self)->end_span(type), 0; };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* self) {
      return static_cast<Reader*>(self)->text(type, QString::fromUtf8(text, size)), 0;
    };
    md_parse(utf8.constData(), static_cast<MD_SIZE>(utf8.size()), &parser, this);
    close();
  }

 private:
  struct List {
    bool ordered = false;
    unsigned next = 1;
    char delimiter = '.';
  };

  void open(Block::Kind kind) {
    close();
    block_ = Block{};
    block_->kind = kind;
    block_->indent = static_cast<int>(lists_.size());
    block_->quote = quotes_;
    block_->marker = std::exchange(marker_, QString());
    position_ = 0;
  }

  void close() {
    if (!block_) return;
    for (const auto& [phrase, start] : open_phrases_) finish_phrase(phrase, start);
    open_phrases_.clear();
    const bool shown = block_->kind == Block::Kind::code || block_->kind == Block::Kind::table || !block_->html.isEmpty() || !block_->marker.isEmpty();
    if (block_->kind == Block::Kind::code && block_->text.endsWith('\n')) block_->text.chop(1);
    if (shown) out_.push_back(std::move(*block_));
    block_.reset();
  }

  void enter(MD_BLOCKTYPE type, void* detail) {
    switch (type) {
      case MD_BLOCK_QUOTE: close(); ++quotes_; break;
      case MD_BLOCK_UL: close(); lists_.push_back({}); break;
      case MD_BLOCK_OL: {
        close();
        const auto* list = static_cast<MD_BLOCK_OL_DETAIL*>(detail);
        lists_.push_back({true, list->start, list->mark_delimiter});
        break;
      }
      case MD_BLOCK_LI: begin_item(*static_cast<MD_BLOCK_LI_DETAIL*>(detail)); break;
      case MD_BLOCK_HR:
        close();
        out_.push_back(Block{.kind = Block::Kind::rule});
        break;
      case MD_BLOCK_H:
        open(Block::Kind::heading);
        block_->level = static_cast<int>(static_cast<MD_BLOCK_H_DETAIL*>(detail)->level);
        break;
      case MD_BLOCK_CODE:
        open(Block::Kind::code);
        block_->language = attribute(static_cast<MD_BLOCK_CODE_DETAIL*>(detail)->lang);
        break;
      case MD_BLOCK_P: open(Block::Kind::text); break;
      case MD_BLOCK_TABLE:
        open(Block::Kind::table);
        block_->columns = static_cast<int>(static_cast<MD_BLOCK_TABLE_DETAIL*>(detail)->col_count);
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD: {
        cell_.clear();
        const MD_ALIGN align = static_cast<MD_BLOCK_TD_DETAIL*>(detail)->align;
        cell_side_ = align == MD_ALIGN_RIGHT ? "right" : align == MD_ALIGN_CENTER ? "center" : "";
        break;
      }
      default: break;
    }
  }

  void leave(MD_BLOCKTYPE type) {
    switch (type) {
      case MD_BLOCK_QUOTE: close(); --quotes_; break;
      case MD_BLOCK_UL:
      case MD_BLOCK_OL: close(); lists_.pop_back(); break;
      case MD_BLOCK_LI:
        if (!block_ && !marker_.isEmpty()) open(Block::Kind::text);  // an item without words keeps its bullet
        close();
        break;
      case MD_BLOCK_TH:
      case MD_BLOCK_TD: block_->cells.push_back(cell_side_.isEmpty() ? cell_ : "<div align=\"" + cell_side_ + "\">" + cell_ + "</div>"); break;
      case MD_BLOCK_P:
      case MD_BLOCK_H:
      case MD_BLOCK_CODE:
      case MD_BLOCK_TABLE: close(); break;
      default: break;
    }
  }

  void begin_item(const MD_BLOCK_LI_DETAIL& item) {
    close();
    List& list = lists_.back();
    if (item.is_task) marker_ = item.task_mark == ' ' ? QString(QChar(0x2610)) : QString(QChar(0x2611));
    else if (list.ordered) marker_ = QString::number(list.next) + QLatin1Char(list.delimiter);
    else marker_ = QString(QChar(lists_.size() > 1 ? 0x25E6 : 0x2022));
    if (list.ordered) ++list.next;
  }

  void span(MD_SPANTYPE type, void* detail) {
    QString address;
    if (type == MD_SPAN_A) address = safe_address(attribute(static_cast<MD_SPAN_A_DETAIL*>(detail)->href));
    if (type == MD_SPAN_IMG) address = safe_address(attribute(static_cast<MD_SPAN_IMG_DETAIL*>(detail)->src));
    if (type == MD_SPAN_A || type == MD_SPAN_IMG) {
      addresses_.push_back(address);
      if (!address.isEmpty()) html() += "<a href=\"" + address.toHtmlEscaped() + "\" style=\"color:" + link_color_mark + "\">";
    } else if (const char* tag = tag_of(type)) {
      html() += type == MD_SPAN_CODE ? QString("<code style=\"background-color:") + code_color_mark + "\">" : "<" + QLatin1String(tag) + ">";
    }
  }

  void end_span(MD_SPANTYPE type) {
    if (type == MD_SPAN_A || type == MD_SPAN_IMG) {
      if (!addresses_.back().isEmpty()) html() += "</a>";
      addresses_.pop_back();
    } else if (const char* tag = tag_of(type)) {
      html() += "</" + QLatin1String(tag) + ">";
    }
  }

  static const char* tag_of(MD_SPANTYPE type) {
    switch (type) {
      case MD_SPAN_EM: return "i";
      case MD_SPAN_STRONG: return "b";
      case MD_SPAN_CODE: return "code";
      case MD_SPAN_DEL: return "s";
      default: return nullptr;
    }
  }

  void text(MD_TEXTTYPE type, const QString& raw) {
    if (!block_) open(Block::Kind::text);  // the words of a tight list item
    switch (type) {
      case MD_TEXT_NULLCHAR: show(QString(QChar(QChar::ReplacementCharacter))); break;
      case MD_TEXT_BR:
        html() += "<br>";
        block_->text += '\n';
        ++position_;
        break;
      case MD_TEXT_SOFTBR: show(" "); break;
      case MD_TEXT_ENTITY: show(entity(raw)); break;
      default: show_marked(raw); break;
    }
  }

  // Takes the marks of phrases out and remembers where they were.
  void show_marked(const QString& raw) {
    qsizetype from = 0;
    for (qsizetype at = 0; at < raw.size(); ++at) {
      if (raw[at] != QChar(phrase_start) && raw[at] != QChar(phrase_end)) continue;
      show(raw.mid(from, at - from));
      const bool opens = raw[at] == QChar(phrase_start);
      const int phrase = at + 1 < raw.size() ? raw[at + 1].unicode() - phrase_index : -1;
      from = ++at + 1;
      if (phrase < 0 || phrase >= static_cast<int>(phrases_.size()) || !words()) continue;
      if (opens) open_phrases_.push_back({phrase, position_});
      else end_phrase(phrase);
    }
    show(raw.mid(from));
  }

  void end_phrase(int phrase) {
    for (auto it = open_phrases_.begin(); it != open_phrases_.end(); ++it) {
      if (it->first != phrase) continue;
      finish_phrase(phrase, it->second);
      open_phrases_.erase(it);
      return;
    }
  }

  void finish_phrase(int phrase, int start) {
    if (position_ == start) return;
    block_->phrases.push_back({phrases_[phrase].boxes, start, position_ - start});
    QStringList numbers;
    for (const int box : phrases_[phrase].boxes) numbers.push_back(QString::number(box + 1));
    const QString shown = numbers.size() > 3 ? numbers.front() + "-" + numbers.back() : numbers.join(',');
    block_->html += "<sup>" + shown + "</sup>";
    position_ += static_cast<int>(shown.size());
  }

  bool words() const { return block_->kind == Block::Kind::text || block_->kind == Block::Kind::heading; }

  void show(const QString& text) {
    if (text.isEmpty()) return;
    if (block_->kind == Block::Kind::code) {
      block_->text += text;
      return;
    }
    html() += text.toHtmlEscaped();
    position_ += static_cast<int>(text.size());
    if (words()) block_->text += text;
  }

  QString& html() {
    if (!block_) open(Block::Kind::text);
    return block_->kind == Block::Kind::table ? cell_ : block_->html;
  }

  std::vector<Block>& out_;
  const std::vector<MarkedPhrase>& phrases_;
  std::optional<Block> block_;
  std::vector<List> lists_;
  std::vector<QString> addresses_;
  std::vector<std::pair<int, int>> open_phrases_;  // phrase, start
  QString marker_, cell_, cell_side_;
  int quotes_ = 0;
  int position_ = 0;  // characters of the block shown so far
};

void read_pieces(const QString& source, const std::vector<MarkedPhrase>& phrases, std::vector<Block>& out) {
  for (const Piece& piece : split_pieces(source)) Reader(out, phrases).read(QStringView(source).mid(piece.start, piece.end - piece.start));
}

}  // namespace

std::vector<Block> markdown_blocks(const QString& source, const std::vector<GroundedBox>& boxes) {
  std::vector<Block> blocks;
  const std::vector<MarkedPhrase> phrases = phrases_of(source, boxes);
  read_pieces(marked_source(source, boxes, phrases), phrases, blocks);
  return blocks;
}

std::vector<Block> answer_blocks(const Message& answer) {
  const bool whole = answer.state == MessageState::complete;
  return whole ? markdown_blocks(answer.text, answer.boxes) : markdown_blocks(without_places(answer.text));
}

const std::vector<Block>& BlockStream::append(const QString& delta) {
  source_ += without_reserved(delta);
  blocks_.resize(firm_blocks_);
  const std::vector<MarkedPhrase> none;
  const std::vector<Piece> pieces = split_pieces(source_, firm_);
  size_t last_firm = 0;  // the last piece whose start can no longer move
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].firm) last_firm = i;
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i == last_firm) {
      firm_ = pieces[i].start;
      firm_blocks_ = blocks_.size();
    }
    Reader(blocks_, none).read(QStringView(source_).mid(pieces[i].start, pieces[i].end - pieces[i].start));
  }
  return blocks_;
}

}  // namespace lava::app
