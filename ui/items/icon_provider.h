// image://icon/<name>/<rrggbb>: line icons in the colour of the theme.
#pragma once
#include <QQuickImageProvider>

namespace lava::ui {

class IconProvider : public QQuickImageProvider {
 public:
  IconProvider() : QQuickImageProvider(QQuickImageProvider::Image) {}
  QImage requestImage(const QString& id, QSize* size, const QSize& requested) override;
};

}  // namespace lava::ui
