// A label keeps its colour in every picture and on every run: a stable hash picks one of twelve.
#pragma once
#include <QColor>
#include <QString>

namespace lava::ui {

struct LabelColor {
  QColor fill, ink;  // ink: text on the fill
};
LabelColor label_color(const QString& label);

}  // namespace lava::ui
