#include "engine/encoders/region_crops.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/media/resize.h"

namespace lava::regions {
namespace {

constexpr double context = 1.2, smallest = 0.06;  // sides of a crop in sides of the box and of the square
constexpr int step = 4, first_sample = 2, samples = crop_side / step;
constexpr float middle = 0.35f;  // half sides of the part of a box whose colours are the thing's
constexpr int border = 5;        // samples at the edge of a crop that shows nothing around the box

enum Colour { red, orange, yellow, green, blue, purple, pink, brown, black, white, gray };

// Corner of the crop_side x crop_side window in the square resized to `whole`.
struct Placing {
  int whole, x, y;
};

Placing place(const Box& box) {
  const double side = std::min(1.0, std::max(context * static_cast<double>(std::max(box.x2 - box.x1, box.y2 - box.y1)), smallest));
  const int whole = std::max(crop_side, static_cast<int>(std::floor(crop_side / side + 0.5)));
  const auto corner = [whole](double low, double high) {
    return std::clamp(static_cast<int>(std::floor((low + high) / 2 * whole - crop_side / 2.0 + 0.5)), 0, whole - crop_side);
  };
  return {whole, corner(box.x1, box.x2), corner(box.y1, box.y2)};
}

struct Sums {
  std::array<int, colours> names{};
  int count = 0, rgb[3] = {0, 0, 0};

  void add(const uint8_t* pixel, int name) {
    ++count, ++names[static_cast<size_t>(name)];
    for (int c = 0; c < 3; ++c) rgb[c] += pixel[c];
  }
  void write(float* shares, float* mean) const {
    const float n = static_cast<float>(std::max(count, 1));
    for (size_t i = 0; i < colours; ++i) shares[i] = static_cast<float>(names[i]) / n;
    for (int c = 0; c < 3; ++c) mean[c] = static_cast<float>(rgb[c]) / (255 * n);
  }
};

}  // namespace

Crop crop_of(const media::Picture& picture, const Box& box) {
  const media::Sheet sheet = media::square_sheet(picture.size(), {128, 128, 128});
  const Placing at = place(box);
  const double scale = static_cast<double>(sheet.size.width) / at.whole;
  const auto edge = [&](int pixel) { return std::min(static_cast<float>(pixel * scale), static_cast<float>(sheet.size.width)); };
  const media::FloatBox part{edge(at.x), edge(at.y), edge(at.x + crop_side), edge(at.y + crop_side)};
  Crop crop;
  crop.pixels = media::resize_box(picture, sheet, part, {crop_side, crop_side}, media::Filter::bilinear);
  const auto pixels = [&](float share, int corner) { return share * static_cast<float>(at.whole) - static_cast<float>(corner); };
  crop.box = {pixels(box.x1, at.x), pixels(box.y1, at.y), pixels(box.x2, at.x), pixels(box.y2, at.y)};
  return crop;
}

int colour_of(uint8_t red_byte, uint8_t green_byte, uint8_t blue_byte) {
  const float r = static_cast<float>(red_byte) / 255, g = static_cast<float>(green_byte) / 255, b = static_cast<float>(blue_byte) / 255;
  const float high = std::max({r, g, b}), span = high - std::min({r, g, b});
  const float saturation = span / std::max(high, 1e-6f), safe = std::max(span, 1e-6f);
  if (high < 0.2f) return black;
  if (high > 0.82f && saturation < 0.12f) return white;
  if (saturation < 0.2f) return gray;
  const float sixth = high == r ? (g - b) / safe : high == g ? (b - r) / safe + 2 : (r - g) / safe + 4;
  const float hue = (sixth < 0 ? sixth + 6 : sixth) * 60;
  if (hue < 8 && high < 0.4f) return brown;
  if (hue >= 8 && hue < 50 && (high < 0.65f || (saturation < 0.45f && high < 0.85f))) return brown;
  if ((hue < 15 || hue >= 335) && high > 0.75f && saturation < 0.5f) return pink;
  if (hue < 15 || hue >= 340) return red;
  if (hue < 42) return orange;
  if (hue < 68) return yellow;
  if (hue < 165) return green;
  if (hue < 256) return blue;
  return hue < 292 ? purple : pink;
}

void describe_colours(const Crop& crop, float* out) {
  const Box& box = crop.box;
  const float cx = (box.x1 + box.x2) / 2, cy = (box.y1 + box.y2) / 2, w = middle * (box.x2 - box.x1), h = middle * (box.y2 - box.y1);
  Sums inner, ring, edge, nearest;
  float least = std::numeric_limits<float>::infinity();
  for (int j = 0; j < samples; ++j) {
    for (int i = 0; i < samples; ++i) {
      const uint8_t* pixel = crop.pixels.row(first_sample + j * step) + (first_sample + i * step) * 3;
      const int name = colour_of(pixel[0], pixel[1], pixel[2]);
      const float x = static_cast<float>(first_sample + i * step) + 0.5f, y = static_cast<float>(first_sample + j * step) + 0.5f;
      if (std::abs(x - cx) <= w && std::abs(y - cy) <= h) inner.add(pixel, name);
      if (x < box.x1 || x > box.x2 || y < box.y1 || y > box.y2) ring.add(pixel, name);
      if (std::min(i, j) < border || std::max(i, j) >= samples - border) edge.add(pixel, name);
      if (const float distance = (x - cx) * (x - cx) + (y - cy) * (y - cy); distance < least) {
        least = distance;
        nearest = {};
        nearest.add(pixel, name);
      }
    }
  }
  float *inside = out, *around = out + colours, *front = out + 2 * colours, *means = out + 3 * colours;
  (inner.count > 0 ? inner : nearest).write(inside, means);
  (ring.count > 0 ? ring : edge).write(around, means + 3);
  float sum = 0;
  for (int i = 0; i < colours; ++i) sum += front[i] = inside[i] * (1 - around[i]);
  for (int i = 0; i < colours; ++i) front[i] = sum > 1e-6f ? front[i] / sum : inside[i];
}

}  // namespace lava::regions
