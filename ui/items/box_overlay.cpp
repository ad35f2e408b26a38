#include "ui/items/box_overlay.h"

#include <QFontMetricsF>
#include <QPainter>
#include <algorithm>

#include "ui/theme/label_colors.h"

namespace lava::ui {
namespace {

constexpr qreal line = 2, halo = 1, faded = 0.25, fill_alpha = 0.12, tag_radius = 4, tag_padding = 6;

}  // namespace

BoxOverlay::BoxOverlay(QQuickItem* parent) : QQuickPaintedItem(parent) {
  setAntialiasing(true);
  connect(this, &BoxOverlay::changed, this, [this] { update(); });
}

void BoxOverlay::set_boxes(const QVariantList& boxes) {
  boxes_ = boxes;
  parsed_.clear();
  for (const QVariant& value : boxes) {
    const QVariantMap box = value.toMap();
    const QRectF rect(QPointF(box["x1"].toDouble(), box["y1"].toDouble()), QPointF(box["x2"].toDouble(), box["y2"].toDouble()));
    parsed_.push_back({box["label"].toString(), rect.normalized(), box["number"].toInt(), box["drawn"].toBool()});
  }
  emit changed();
}

QRectF BoxOverlay::on_screen(const Box& box) const {
  if (picture_size_.isEmpty()) return {};
  const qreal sx = picture_rect_.width() / picture_size_.width(), sy = picture_rect_.height() / picture_size_.height();
  const QRectF rect(picture_rect_.x() + box.rect.x() * sx, picture_rect_.y() + box.rect.y() * sy, box.rect.width() * sx, box.rect.height() * sy);
  const QRectF visible = rect.intersected(picture_rect_);
  return visible.adjusted(line / 2, line / 2, -line / 2, -line / 2);
}

bool BoxOverlay::lit(const Box& box) const {
  return highlighted_.isEmpty() || std::any_of(highlighted_.begin(), highlighted_.end(), [&](const QVariant& n) { return n.toInt() == box.number; });
}

int BoxOverlay::box_at(qreal x, qreal y) const {
  int found = 0;
  qreal smallest = 0;
  for (const Box& box : parsed_) {
    const QRectF rect = on_screen(box);
    const qreal area = rect.width() * rect.height();
    if (!rect.contains(x, y) || (found != 0 && area >= smallest)) continue;
    found = box.number;
    smallest = area;
  }
  return found;
}

void BoxOverlay::paint(QPainter* painter) {
  painter->setRenderHint(QPainter::Antialiasing);
  for (const Box& box : parsed_) {
    const QRectF rect = on_screen(box);
    if (!rect.isEmpty()) paint_box(painter, rect, box);
  }
  if (!tags_) return;
  std::vector<QRectF> taken;
  for (const Box& box : parsed_) {
    if (!box.drawn) paint_tag(painter, box, taken);
  }
}

void BoxOverlay::paint_box(QPainter* painter, const QRectF& rect, const Box& box) const {
  const QColor color = box.drawn ? QColor(Qt::white) : label_color(box.label).fill;
  QColor fill = color;
  fill.setAlphaF(box.drawn ? 0 : fill_alpha);  // what the user points at stays as it is
  painter->setOpacity(lit(box) ? 1 : faded);
  painter->setPen(QPen(QColor(0, 0, 0, 150), line + 2 * halo, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
  painter->setBrush(fill);
  painter->drawRect(rect);
  QPen pen(color, line, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin);
  if (box.drawn) {
    pen.setCapStyle(Qt::FlatCap);
    pen.setDashPattern({4, 2});  // in widths of the line
  }
  painter->setPen(pen);
  painter->setBrush(Qt::NoBrush);
  painter->drawRect(rect);
}

// Outside on the top left, inside where there is no room, one step down where another tag is.
void BoxOverlay::paint_tag(QPainter* painter, const Box& box, std::vector<QRectF>& taken) const {
  const QRectF rect = on_screen(box);
  if (rect.isEmpty()) return;
  QFont font = painter->font();
  font.setPixelSize(tag_pixels_);
  font.setBold(true);
  const QFontMetricsF metrics(font);
  const qreal height = tag_pixels_ + 8;
  QString text = QString::number(box.number) + ' ' + box.label;
  if (metrics.horizontalAdvance(text) + 2 * tag_padding > picture_rect_.width()) text = QString::number(box.number);
  const qreal width = metrics.horizontalAdvance(text) + 2 * tag_padding;
  const qreal left = std::clamp(rect.left() - line / 2, picture_rect_.left(), std::max(picture_rect_.left(), picture_rect_.right() - width));
  QRectF tag(left, rect.top() - height, width, height);
  if (tag.top() < picture_rect_.top()) tag.moveTop(rect.top() - line / 2);
  const auto meets = [&](const QRectF& other) { return other.intersects(tag); };
  while (std::any_of(taken.begin(), taken.end(), meets) && tag.bottom() + height <= picture_rect_.bottom()) tag.translate(0, height);
  taken.push_back(tag);
  const LabelColor color = label_color(box.label);
  painter->setOpacity(lit(box) ? 1 : faded);
  painter->setPen(Qt::NoPen);
  painter->setBrush(color.fill);
  painter->drawRoundedRect(tag, tag_radius, tag_radius);
  painter->setPen(color.ink);
  painter->setFont(font);
  painter->drawText(tag, Qt::AlignCenter, text);
}

}  // namespace lava::ui
