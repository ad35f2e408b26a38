#include "tests/support/ui/settings_rows.h"

namespace lava::test {

void live_in(const QString& home) {
  for (const char* name : {"DATA", "CONFIG", "CACHE", "STATE"}) qputenv(qPrintable(QString("XDG_%1_HOME").arg(name)), (home + '/' + QString(name).toLower()).toUtf8());
  for (const char* name : {"LAVASCOPE_CACHE", "LAVASCOPE_MODELS"}) qunsetenv(name);
}

bool open_settings(WindowFixture& f, const QString& group) {
  f.key(Qt::Key_Comma, Qt::ControlModifier);
  if (!f.wait_for("settings_search")) return false;
  if (!group.isEmpty()) f.click(f.find("category_" + group));
  return group.isEmpty() || f.find("settings_" + group);
}

QStringList titles(const WindowFixture& f) {
  QStringList all;
  for (QQuickItem* row : f.find_all("settings_row")) all << row->property("title").toString();
  return all;
}

QQuickItem* row(const WindowFixture& f, const QString& title) {
  for (QQuickItem* one : f.find_all("settings_row"))
    if (one->property("title").toString() == title) return one;
  return nullptr;
}

bool inside(QQuickItem* item, QQuickItem* holder) {
  while (item && item != holder) item = item->parentItem();
  return item;
}

QQuickItem* in(const WindowFixture& f, QQuickItem* holder, const QString& name) {
  for (QQuickItem* one : f.find_all(name))
    if (inside(one, holder)) return one;
  return nullptr;
}

QString words_in(QQuickItem* item) {
  QString words = item->property("text").toString();
  for (QQuickItem* child : item->childItems()) words += '\n' + words_in(child);
  return words;
}

}  // namespace lava::test
