#include "app/settings/finding.h"

#include <QStringList>
#include <algorithm>
#include <vector>

namespace lava::app {
namespace {

QStringList words_of(const QString& query) { return query.simplified().split(' ', Qt::SkipEmptyParts); }

}  // namespace

bool finds(const QString& query, const QString& text) {
  const QStringList words = words_of(query);
  return std::all_of(words.begin(), words.end(), [&](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

QString marked(const QString& query, const QString& text, const QString& ink, const QString& ground) {
  std::vector<bool> hit(static_cast<size_t>(text.size()) + 1, false);  // one more than there is, never hit
  for (const QString& word : words_of(query))
    for (qsizetype at = text.indexOf(word, 0, Qt::CaseInsensitive); at >= 0; at = text.indexOf(word, at + 1, Qt::CaseInsensitive))
      std::fill_n(hit.begin() + at, std::min(word.size(), text.size() - at), true);
  QString rich;
  for (qsizetype from = 0, to = 0; from < text.size(); from = to) {
    const bool marks = hit[static_cast<size_t>(from)];
    while (to < text.size() && hit[static_cast<size_t>(to)] == marks) ++to;
    const QString part = text.mid(from, to - from).toHtmlEscaped().replace('\n', "<br>");
    rich += marks ? QString("<span style=\"color:%1;background-color:%2\">%3</span>").arg(ink, ground, part) : part;
  }
  return rich;
}

}  // namespace lava::app
