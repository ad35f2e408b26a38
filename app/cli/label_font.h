// Text for labels on pictures: a bundled sans bold, and fonts of the system for letters that it lacks.
#pragma once
#include <QString>
#include <memory>

#include "engine/media/picture.h"

namespace lava::app {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
};

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
