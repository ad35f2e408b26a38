// Resampling with the results of the Pillow library, bit for bit, as the processors of vision models were made with it.
#pragma once
#include <array>

#include "engine/media/picture.h"

namespace lava::media {

enum class Filter : uint8_t { bilinear, bicubic };
using Colour = std::array<uint8_t, 3>;

// A picture lying on a larger one-coloured sheet; {} means no sheet.
struct Sheet {
  Size size;
  int x = 0, y = 0;  // place of the picture's upper left corner
  Colour colour{};

  bool used() const { return size.width > 0; }
  bool operator==(const Sheet&) const = default;
};

Picture resize(const Picture& picture, Size size, Filter filter);
// The part `window` of what resizing (the picture on `sheet`) to `size` gives. Neither the sheet nor the whole result is ever built, so the
// cost depends on the window and the picture, whatever their ratio.
Picture resize_window(const Picture& picture, const Sheet& sheet, Size size, Rect window, Filter filter);

struct FloatBox {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};
// What lies in `box` of (the picture on `sheet`), resized to `size`: Pillow's resize(size, filter, box) of square pictures and boxes.
Picture resize_box(const Picture& picture, const Sheet& sheet, const FloatBox& box, Size size, Filter filter);

Picture crop(const Picture& picture, Rect part);
// Centred; the odd pixel goes to the right or the bottom.
Sheet square_sheet(Size picture, Colour colour);
Picture pad_to_square(const Picture& picture, Colour colour);

// What the byte v of channel c stands for, [c, v]: (v / 255 - mean[c]) / std[c], in the arithmetic of the Hugging Face processors.
using PixelTable = std::array<float, 3 * 256>;
PixelTable pixel_table(const std::array<float, 3>& mean, const std::array<float, 3>& std);
// Every pixel by that table. [3, height, width]
void to_tensor(const Picture& picture, const std::array<float, 3>& mean, const std::array<float, 3>& std, float* out);

}  // namespace lava::media
