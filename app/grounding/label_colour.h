// A label keeps its colour in every picture, on every run, in the window and on annotated files: a stable hash picks one of twelve.
#pragma once
#include <QString>

#include "engine/media/resize.h"

namespace lava::app {

struct LabelColour {
  media::Colour fill, ink;  // ink: text on the fill
};
LabelColour label_colour(const QString& label);
LabelColour series_colour(int number);  // the same colours one after the other, for parts of a whole; from 0 on

}  // namespace lava::app
