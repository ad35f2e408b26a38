#include "ui/theme/label_colors.h"

#include "app/grounding/label_colour.h"

namespace lava::ui {

LabelColor label_color(const QString& label) {
  const auto color = [](const media::Colour& c) { return QColor(c[0], c[1], c[2]); };
  const app::LabelColour colour = app::label_colour(label);
  return {color(colour.fill), color(colour.ink)};
}

}  // namespace lava::ui
