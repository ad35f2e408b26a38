// Boxes with labels drawn onto a picture.
#pragma once
#include <vector>

#include "app/cli/label_font.h"
#include "app/history/history_store.h"

namespace lava::app {

struct LabelColour {
  Colour fill, ink;
};
LabelColour label_colour(const QString& label);  // the same for one label in every picture, as in the window

// Lines of 2 pixels with a dark halo and a filled tag; thicker on large pictures, so that they look the same when shown to fit.
void draw_boxes(media::Picture& picture, const std::vector<GroundedBox>& boxes);

}  // namespace lava::app
