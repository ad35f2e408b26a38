#include "ui/items/icon_provider.h"

#include <QFile>
#include <QPainter>
#include <QSvgRenderer>

namespace lava::ui {

QImage IconProvider::requestImage(const QString& id, QSize* size, const QSize& requested) {
  const QString name = id.section('/', 0, 0), color = id.section('/', 1, 1);
  QFile file(":/lavascope/icons/" + name + ".svg");
  if (!file.open(QIODevice::ReadOnly)) return {};
  QSvgRenderer renderer(file.readAll().replace("currentColor", "#" + color.toLatin1()));
  const QSize pixels = requested.isValid() && !requested.isEmpty() ? requested : QSize(20, 20);
  QImage image(pixels, QImage::Format_ARGB32_Premultiplied);
  image.fill(Qt::transparent);
  QPainter painter(&image);
  renderer.render(&painter);
  if (size) *size = pixels;
  return image;
}

}  // namespace lava::ui
