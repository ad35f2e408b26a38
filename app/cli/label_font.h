// Text for labels on pictures: a bundled sans bold, and fonts of the system for letters that it lacks.
#pragma once
#include <QString>
#include <memory>

#include "engine/media/resize.h"

namespace lava::app {

using media::Colour;

// One pixel moved towards a colour; alpha 0..1. Outside the picture nothing happens.
void blend(media::Picture& picture, int x, int y, Colour colour, float alpha);

class LabelFont {
 public:
  explicit LabelFont(float pixels);  // height of a line
  ~LabelFont();
  float width(const QString& text) const;
  float cap_height() const;
  void draw(media::Picture& picture, float x, float baseline, const QString& text, Colour ink) const;

 private:
  struct Faces;
  std::unique_ptr<Faces> faces_;
};

}  // namespace lava::app
