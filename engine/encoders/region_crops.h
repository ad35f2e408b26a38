// A box of a picture with some context around it, as a small square picture, and its colours.
#pragma once
#include "engine/core/prompt.h"
#include "engine/media/picture.h"

namespace lava::regions {

inline constexpr int crop_side = 224;

struct Crop {
  media::Picture pixels;  // crop_side x crop_side
  Box box;                // the box in it, in pixels
};

// `box`: 0..1 on the picture padded to a centred grey square.
Crop crop_of(const media::Picture& picture, const Box& box);

// Names of colours by fixed rules on hue, saturation and value, the same that the model was trained with:
// red, orange, yellow, green, blue, purple, pink, brown, black, white, gray.
inline constexpr int colours = 11;
int colour_of(uint8_t red, uint8_t green, uint8_t blue);

// Shares of the colours in the middle of the box, around it, and in the middle but not around; mean RGB (0..1) of both.
inline constexpr int colour_features = 3 * colours + 6;
void describe_colours(const Crop& crop, float* out);

}  // namespace lava::regions
