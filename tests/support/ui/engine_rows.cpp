#include "tests/support/ui/engine_rows.h"

#include <QAccessible>
#include <QQmlEngine>

#include "tests/support/ui/wait.h"

namespace lava::test {
namespace {

QRectF place_of(QQuickItem* item) { return item->mapRectToScene(QRectF(0, 0, item->width(), item->height())); }

}  // namespace

ui::Theme* theme_of(const WindowFixture& f) {
  return qmlEngine(f.find("composer_field") ? f.find("composer_field") : f.find("settings_page"))->singletonInstance<ui::Theme*>(qmlTypeId("Lavascope", 1, 0, "Theme"));
}

QString text(QQuickItem* item) { return item ? item->property("text").toString() : QString("(none)"); }

QString spoken(QQuickItem* item) { return QAccessible::queryAccessibleInterface(item)->text(QAccessible::Name); }

QString choice_of(QQuickItem* row) { return row->property("entry").toMap().value("choice").toString(); }

QQuickItem* row_of(const WindowFixture& f, const QString& choice, const char* rows) {
  for (QQuickItem* row : f.find_all(rows))
    if (choice_of(row) == choice) return row;
  return nullptr;
}

QString focused(const WindowFixture& f) {
  QQuickItem* item = f.window->activeFocusItem();
  if (!item) return "(nothing)";
  return item->objectName() == "device_row" ? choice_of(item) : item->objectName();
}

bool tab_to(WindowFixture& f, const QString& name) {
  for (int i = 0; i < 40 && focused(f) != name; ++i) f.key(Qt::Key_Tab);
  return focused(f) == name;
}

bool open_popover(WindowFixture& f) {
  f.click(f.wait_for("engine_pill"));
  return f.wait_for("device_row") != nullptr;
}

QString misfit(const WindowFixture& f, QQuickItem* item, const QStringList& buttons) {
  QQuickItem* popup = item;
  while (popup && !popup->inherits("QQuickPopupItem")) popup = popup->parentItem();
  if (!popup) return "there is no popup";
  const QRectF box = place_of(popup);
  if (!QRectF(0, 0, f.window->width(), f.window->height()).contains(box)) return QString("the popup lies at %1 %2 %3 %4").arg(box.x()).arg(box.y()).arg(box.width()).arg(box.height());
  for (const QString& name : buttons) {
    QQuickItem* button = f.find(name);
    if (!button || !box.contains(place_of(button))) return name;
  }
  return cut_off(popup, box.right());
}

void sizes_for_fitting() {
  QTest::addColumn<QSize>("size");
  QTest::newRow("usual") << QSize(1180, 800);
  QTest::newRow("smallest") << QSize(480, 520);
}

void at_twice_the_size(WindowFixture& f, const std::function<void()>& what) {
  QFETCH(QSize, size);
  theme_of(f)->set_text_scale(2);
  f.window->resize(size);
  QVERIFY(wait([&] { return f.window->contentItem()->width() == size.width() && f.window->contentItem()->height() == size.height(); }));
  if (!f.find("engine_pill")) f.key(Qt::Key_B, Qt::ControlModifier);
  what();
  theme_of(f)->set_text_scale(1);
}

}  // namespace lava::test
