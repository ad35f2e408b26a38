#include "app/settings/about.h"

#include <QStringList>
#include <algorithm>

namespace lava::app {

QString version() { return LAVA_VERSION; }

QVariantList licences(const QString& markdown, int name, int licence) {
  QVariantList rows;
  int lines = 0;  // of the table: its head, the line below, then rows
  for (const QString& line : markdown.split('\n')) {
    if (!line.startsWith('|')) {
      if (lines > 0) break;
      continue;
    }
    QStringList cells = line.mid(1).remove('`').split('|');
    if (++lines < 3 || cells.size() <= std::max(name, licence)) continue;
    rows << QVariantMap{{"name", cells[name].trimmed()}, {"value", cells[licence].trimmed()}};
  }
  return rows;
}

}  // namespace lava::app
