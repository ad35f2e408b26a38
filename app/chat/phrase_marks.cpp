#include "app/chat/phrase_marks.h"

#include <QRegularExpression>
#include <algorithm>

namespace lava::app {
namespace {

constexpr int longest_place = 64;

struct Insertion {
  int at = 0;
  bool opens = false;
  int phrase = 0;
};

bool is_edge_markup(QChar c) {
  return c == '*' || c == '_' || c == '~' || c == '`' || c.isSpace();
}

bool inside(const QString& source, int start, int end) {
  return start >= 0 && start < end && end <= source.size();
}

std::vector<bool> hidden_characters(const QString& source, const std::vector<GroundedBox>& boxes) {
  std::vector<bool> hidden(static_cast<size_t>(source.size()), false);
  for (const GroundedBox& box : boxes) {
    if (!inside(source, box.mark_start, box.mark_end)) continue;
    int from = box.mark_start;
    const bool word_before = from > 0 && source[from - 1] == ' ' && box.start < box.end;
    if (word_before && (box.mark_end == source.size() || !source[box.mark_end].isLetterOrNumber())) --from;
    std::fill(hidden.begin() + from, hidden.begin() + box.mark_end, true);
  }
  return hidden;
}

MarkedPhrase phrase_of(const QString& source, const GroundedBox& box) {
  MarkedPhrase phrase{box.start, box.end, {}, {}};
  if (box.start == box.end && inside(source, box.mark_start, box.mark_end)) {
    return {box.mark_start, box.mark_start, {}, box.label.isEmpty() ? QString("here") : without_reserved(box.label)};
  }
  if (!inside(source, phrase.start, phrase.end)) return {};
  while (phrase.start < phrase.end && is_edge_markup(source[phrase.start])) ++phrase.start;
  while (phrase.end > phrase.start && is_edge_markup(source[phrase.end - 1])) --phrase.end;
  return phrase;
}

}  // namespace

bool is_mark(QChar c) {
  return c.unicode() >= 0xFDD0 && c.unicode() <= 0xFDEF;
}

QString without_reserved(const QString& text) {
  QString clean = text;
  for (QChar& c : clean) {
    if (is_mark(c)) c = QChar(QChar::ReplacementCharacter);
  }
  return clean;
}

std::vector<MarkedPhrase> phrases_of(const QString& source, const std::vector<GroundedBox>& boxes) {
  std::vector<MarkedPhrase> phrases;
  for (int i = 0; i < static_cast<int>(boxes.size()) && static_cast<int>(phrases.size()) < max_phrases; ++i) {
    MarkedPhrase phrase = phrase_of(source, boxes[static_cast<size_t>(i)]);
    if (phrase.start == phrase.end && phrase.words.isEmpty()) continue;
    const auto same = std::find_if(phrases.begin(), phrases.end(), [&](const MarkedPhrase& other) {
      return other.start == phrase.start && other.end == phrase.end;
    });
    if (same != phrases.end()) {
      same->boxes.push_back(i);
    } else {
      phrase.boxes = {i};
      phrases.push_back(std::move(phrase));
    }
  }
  return phrases;
}

QString marked_source(const QString& source, const std::vector<GroundedBox>& boxes, const std::vector<MarkedPhrase>& phrases) {
  const std::vector<bool> hidden = hidden_characters(source, boxes);
  std::vector<Insertion> insertions;
  for (int i = 0; i < static_cast<int>(phrases.size()); ++i) {
    insertions.push_back({phrases[static_cast<size_t>(i)].start, true, i});
    if (phrases[static_cast<size_t>(i)].words.isEmpty()) insertions.push_back({phrases[static_cast<size_t>(i)].end, false, i});
  }
  std::stable_sort(insertions.begin(), insertions.end(), [](const Insertion& a, const Insertion& b) {
    return a.at != b.at ? a.at < b.at : a.opens < b.opens;  // one phrase ends before the next begins
  });
  QString marked;
  auto next = insertions.begin();
  for (int at = 0; at <= source.size(); ++at) {
    for (; next != insertions.end() && next->at == at; ++next) {
      const QChar index(static_cast<char16_t>(phrase_index + next->phrase));
      const QString& words = phrases[static_cast<size_t>(next->phrase)].words;
      marked += QChar(next->opens ? phrase_start : phrase_end);
      marked += index;
      if (!words.isEmpty()) marked += words + QChar(phrase_end) + index;
    }
    if (at < source.size() && !hidden[static_cast<size_t>(at)]) marked += is_mark(source[at]) ? QChar(QChar::ReplacementCharacter) : source[at];
  }
  return marked;
}

namespace {

const QRegularExpression& place_pattern() {
  static const QRegularExpression place(R"( ?\[(?=[^\]]*\.)\s*[01](\.\d+)?\s*(,\s*[01](\.\d+)?\s*){3}\])");
  return place;
}

}  // namespace

QString without_places(const QString& text) {
  return QString(text).remove(place_pattern());
}

QString PlaceFilter::feed(const QString& delta) {
  static const QRegularExpression begun(R"( ?(\[[\d., ]*)?\z)");
  held_ += delta;
  held_.remove(place_pattern());
  const qsizetype from = begun.match(held_).capturedStart();
  const qsizetype cut = held_.size() - from > longest_place ? held_.size() : from;
  QString shown = held_.left(cut);
  held_.remove(0, cut);
  return shown;
}

}  // namespace lava::app
