#include "ui/theme/label_colors.h"

#include "app/grounding/label_colour.h"

namespace lava::ui {

namespace {

QColor color(const media::Colour& c) { return QColor(c[0], c[1], c[2]); }

}  // namespace

LabelColor label_color(const QString& label) {
  const app::LabelColour colour = app::label_colour(label);
  return {color(colour.fill), color(colour.ink)};
}

QColor series_color(int number) { return color(app::series_colour(number).fill); }

}  // namespace lava::ui
