#include "ui/window/window_state.h"

#include <QGuiApplication>
#include <QQuickWindow>
#include <QScreen>
#include <QSettings>

namespace lava::ui {
namespace {

QString key(const QScreen& screen) {
  const QSize size = screen.size();
  return QString("window/%1x%2").arg(size.width()).arg(size.height());
}

}  // namespace

void restore_geometry(QQuickWindow& window) {
  const QSettings settings;
  const QScreen* screen = window.screen();
  const QRect kept = settings.value(key(*screen)).toRect();
  const QRect place = screen->availableGeometry();
  if (!kept.isValid()) {
    const QSize size = QSize(1180, 800).boundedTo(place.size());
    window.setGeometry(QRect(place.center() - QPoint(size.width() / 2, size.height() / 2), size));
    return;
  }
  QRect rect(kept.topLeft(), kept.size().boundedTo(place.size()));
  if (!place.intersects(rect.adjusted(40, 0, -40, -40))) rect.moveCenter(place.center());
  window.setGeometry(rect);
  if (settings.value(key(*screen) + "/maximized").toBool()) window.showMaximized();
}

void save_geometry(const QQuickWindow& window) {
  QSettings settings;
  const bool maximized = window.windowStates() & Qt::WindowMaximized;
  settings.setValue(key(*window.screen()) + "/maximized", maximized);
  if (!maximized) settings.setValue(key(*window.screen()), window.geometry());
}

}  // namespace lava::ui
