// Boxes over a picture: lines of two screen pixels with a dark halo, tags that make room for each other.
#pragma once
#include <QQuickPaintedItem>
#include <QVariantList>
#include <vector>

namespace lava::ui {

class BoxOverlay : public QQuickPaintedItem {
  Q_OBJECT
  QML_ELEMENT
  // {label, x1, y1, x2, y2 in pixels of the picture, number, drawn: by the user, so dashed in white, without a tag}
  Q_PROPERTY(QVariantList boxes READ boxes WRITE set_boxes NOTIFY changed)
  Q_PROPERTY(QSizeF pictureSize MEMBER picture_size_ NOTIFY changed)
  Q_PROPERTY(QRectF pictureRect MEMBER picture_rect_ NOTIFY changed)  // where the picture lies in this item
  Q_PROPERTY(QVariantList highlighted MEMBER highlighted_ NOTIFY changed)  // numbers; others fade
  Q_PROPERTY(bool tags MEMBER tags_ NOTIFY changed)
  Q_PROPERTY(int tagPixels MEMBER tag_pixels_ NOTIFY changed)

 public:
  explicit BoxOverlay(QQuickItem* parent = nullptr);
  void paint(QPainter* painter) override;
  QVariantList boxes() const { return boxes_; }
  void set_boxes(const QVariantList& boxes);
  // Number of the smallest box under the point, 0 if none.
  Q_INVOKABLE int box_at(qreal x, qreal y) const;

 signals:
  void changed();

 private:
  struct Box {
    QString label;
    QRectF rect;  // picture pixels
    int number = 0;
    bool drawn = false;
  };
  QRectF on_screen(const Box& box) const;
  bool lit(const Box& box) const;
  void paint_box(QPainter* painter, const QRectF& rect, const Box& box) const;
  void paint_tag(QPainter* painter, const Box& box, std::vector<QRectF>& taken) const;

  QVariantList boxes_, highlighted_;
  std::vector<Box> parsed_;
  QSizeF picture_size_;
  QRectF picture_rect_;
  bool tags_ = true;
  int tag_pixels_ = 12;
};

}  // namespace lava::ui
