#include "app/chat/phrase_marks.h"

#include <algorithm>

namespace lava::app {
namespace {

struct Insertion {
  int at = 0;
  bool opens = false;
  int phrase = 0;
};

bool is_edge_markup(QChar c) {
  return c == '*' || c == '_' || c == '~' || c == '`' || c.isSpace();
}

}  // namespace

bool is_mark(QChar c) {
  return c.unicode() >= 0xFDD0 && c.unicode() <= 0xFDEF;
}

std::vector<MarkedPhrase> phrases_of(const QString& source, const std::vector<GroundedBox>& boxes) {
  std::vector<MarkedPhrase> phrases;
  for (int box = 0; box < static_cast<int>(boxes.size()) && static_cast<int>(phrases.size()) < max_phrases; ++box) {
    int start = boxes[box].start, end = boxes[box].end;
    if (start < 0 || end > source.size() || start >= end) continue;
    while (start < end && is_edge_markup(source[start])) ++start;
    while (end > start && is_edge_markup(source[end - 1])) --end;
    if (start == end) continue;
    const auto same = std::find_if(phrases.begin(), phrases.end(), [&](const MarkedPhrase& p) { return p.start == start && p.end == end; });
    if (same == phrases.end()) phrases.push_back({start, end, {box}});
    else same->boxes.push_back(box);
  }
  return phrases;
}

QString mark_phrases(const QString& source, const std::vector<MarkedPhrase>& phrases) {
  std::vector<Insertion> insertions;
  for (int i = 0; i < static_cast<int>(phrases.size()); ++i) {
    insertions.push_back({phrases[i].start, true, i});
    insertions.push_back({phrases[i].end, false, i});
  }
  std::stable_sort(insertions.begin(), insertions.end(), [](const Insertion& a, const Insertion& b) {
    return a.at != b.at ? a.at < b.at : a.opens < b.opens;  // one phrase ends before the next begins
  });
  QString marked;
  marked.reserve(source.size() + static_cast<qsizetype>(insertions.size()) * 2);
  auto next = insertions.begin();
  for (int at = 0; at <= source.size(); ++at) {
    for (; next != insertions.end() && next->at == at; ++next) {
      marked += QChar(next->opens ? phrase_start : phrase_end);
      marked += QChar(static_cast<char16_t>(phrase_index + next->phrase));
    }
    if (at < source.size()) marked += is_mark(source[at]) ? QChar(QChar::ReplacementCharacter) : source[at];
  }
  return marked;
}

}  // namespace lava::app
