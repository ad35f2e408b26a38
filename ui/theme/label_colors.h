// The colours of labels (app/grounding) as Qt draws them.
#pragma once
#include <QColor>
#include <QString>

namespace lava::ui {

struct LabelColor {
  QColor fill, ink;  // ink: text on the fill
};
LabelColor label_color(const QString& label);
QColor series_color(int number);

}  // namespace lava::ui
