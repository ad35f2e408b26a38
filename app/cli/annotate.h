// Boxes with labels drawn onto a picture.
#pragma once
#include <vector>

#include "app/cli/label_font.h"
#include "app/grounding/label_colour.h"
#include "app/history/history_store.h"

namespace lava::app {

// Lines of 2 pixels with a dark halo and a filled tag; thicker on large pictures, so that they look the same when shown to fit.
void draw_boxes(media::Picture& picture, const std::vector<GroundedBox>& boxes);

// Empty, or the name of a PNG file; else warns.
bool annotation_name_is_fine(const QString& file);
// Whether a picture can be written there; told before the work.
Result<void> check_output(const QString& file);

}  // namespace lava::app
