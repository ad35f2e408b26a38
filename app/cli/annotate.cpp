#include "app/cli/annotate.h"

#include <QFileInfo>
#include <algorithm>
#include <array>
#include <cmath>

#include "app/cli/terminal.h"

namespace lava::app {
namespace {

constexpr Colour dark{0x11, 0x11, 0x11};
constexpr qsizetype most_letters = 40;

struct Frame {  // pixels; right and bottom are outside
  int left = 0, top = 0, right = 0, bottom = 0;
  bool meets(const Frame& o) const { return left < o.right && o.left < right && top < o.bottom && o.top < bottom; }
};

struct Style {
  int unit;  // 1 on pictures up to about 1,000 pixels
  int line() const { return 2 * unit; }
  int tag_height() const { return 18 * unit; }
  float font() const { return 14.0f * static_cast<float>(unit); }
  float radius() const { return 4.0f * static_cast<float>(unit); }
  int padding() const { return 5 * unit; }
};

Frame frame_of(const GroundedBox& box, const media::Picture& picture) {
  auto at = [](double value, int most) { return static_cast<int>(std::lround(std::clamp(value, 0.0, static_cast<double>(most)))); };
  Frame f{at(std::min(box.x1, box.x2), picture.width), at(std::min(box.y1, box.y2), picture.height),
          at(std::max(box.x1, box.x2), picture.width), at(std::max(box.y1, box.y2), picture.height)};
  f.right = std::max(f.right, std::min(f.left + 1, picture.width));
  f.bottom = std::max(f.bottom, std::min(f.top + 1, picture.height));
  return f;
}

void fill(media::Picture& picture, const Frame& f, Colour colour, float alpha) {
  for (int y = std::max(0, f.top); y < std::min(f.bottom, picture.height); ++y)
    for (int x = std::max(0, f.left); x < std::min(f.right, picture.width); ++x) blend(picture, x, y, colour, alpha);
}

// The ring between two frames.
void ring(media::Picture& picture, const Frame& outer, int thickness, Colour colour, float alpha) {
  const Frame inner{outer.left + thickness, outer.top + thickness, outer.right - thickness, outer.bottom - thickness};
  if (inner.left >= inner.right || inner.top >= inner.bottom) return fill(picture, outer, colour, alpha);
  fill(picture, {outer.left, outer.top, outer.right, inner.top}, colour, alpha);
  fill(picture, {outer.left, inner.bottom, outer.right, outer.bottom}, colour, alpha);
  fill(picture, {outer.left, inner.top, inner.left, inner.bottom}, colour, alpha);
  fill(picture, {inner.right, inner.top, outer.right, inner.bottom}, colour, alpha);
}

Frame grown(const Frame& f, int by) { return {f.left - by, f.top - by, f.right + by, f.bottom + by}; }

void draw_frame(media::Picture& picture, const Frame& box, Colour colour, const Style& style) {
  fill(picture, box, colour, 0.12f);
  const int half = style.line() / 2;
  // At the border of the picture the whole line moves inside.
  Frame outer = grown(box, half);
  outer = {std::max(outer.left, 0), std::max(outer.top, 0), std::min(outer.right, picture.width), std::min(outer.bottom, picture.height)};
  ring(picture, grown(outer, style.unit), style.unit, dark, 0.6f);
  ring(picture, grown(outer, -style.line()), style.unit, dark, 0.35f);
  ring(picture, outer, style.line(), colour, 1);
}

// Coverage of a pixel by a rounded rectangle, from the distance of its centre to the edge.
float rounded(const Frame& f, float radius, int x, int y) {
  const float cx = static_cast<float>(f.left + f.right) / 2, cy = static_cast<float>(f.top + f.bottom) / 2;
  const float dx = std::abs(static_cast<float>(x) + 0.5f - cx) - static_cast<float>(f.right - f.left) / 2 + radius;
  const float dy = std::abs(static_cast<float>(y) + 0.5f - cy) - static_cast<float>(f.bottom - f.top) / 2 + radius;
  const float distance = std::hypot(std::max(dx, 0.0f), std::max(dy, 0.0f)) + std::min(std::max(dx, dy), 0.0f) - radius;
  return std::clamp(0.5f - distance, 0.0f, 1.0f);
}

void fill_rounded(media::Picture& picture, const Frame& f, float radius, Colour colour, float alpha) {
  for (int y = std::max(0, f.top); y < std::min(f.bottom, picture.height); ++y)
    for (int x = std::max(0, f.left); x < std::min(f.right, picture.width); ++x)
      blend(picture, x, y, colour, alpha * rounded(f, radius, x, y));
}

// Above the box; inside when there is no room; then down, until no other tag is in the way.
Frame place_tag(const Frame& box, int width, const media::Picture& picture, const Style& style, const std::vector<Frame>& taken) {
  const int height = style.tag_height(), gap = style.line() / 2 + style.unit;
  const int left = std::clamp(box.left - style.line() / 2, 0, std::max(0, picture.width - width));
  const int first = box.top - gap - height >= 0 ? box.top - gap - height : box.top + gap;
  for (int top = first; top + height <= picture.height; top += height + style.unit) {
    const Frame tag{left, top, left + width, top + height};
    if (std::none_of(taken.begin(), taken.end(), [&](const Frame& other) { return tag.meets(other); })) return tag;
  }
  const int top = std::clamp(first, 0, std::max(0, picture.height - height));
  return {left, top, left + width, top + height};
}

QString short_label(const QString& label) {
  const QString line = label.simplified();
  return line.size() > most_letters ? line.left(most_letters - 1) + QChar(0x2026) : line;
}

}  // namespace

void draw_boxes(media::Picture& picture, const std::vector<GroundedBox>& boxes) {
  if (picture.width <= 0 || picture.height <= 0) return;
  const Style style{std::max(1, static_cast<int>(std::lround(std::max(picture.width, picture.height) / 900.0)))};
  for (const GroundedBox& box : boxes) draw_frame(picture, frame_of(box, picture), label_colour(box.label).fill, style);
  const LabelFont font(style.font());
  std::vector<Frame> tags;
  for (const GroundedBox& box : boxes) {
    const QString text = short_label(box.label);
    if (text.isEmpty()) continue;
    const LabelColour colour = label_colour(box.label);
    const int width = static_cast<int>(std::ceil(font.width(text))) + 2 * style.padding();
    const Frame tag = place_tag(frame_of(box, picture), width, picture, style, tags);
    tags.push_back(tag);
    fill_rounded(picture, grown(tag, style.unit), style.radius() + static_cast<float>(style.unit), dark, 0.45f);
    fill_rounded(picture, tag, style.radius(), colour.fill, 1);
    const float baseline = static_cast<float>(tag.top) + (static_cast<float>(style.tag_height()) + font.cap_height()) / 2;
    font.draw(picture, static_cast<float>(tag.left + style.padding()), baseline, text, colour.ink);
  }
}

bool annotation_name_is_fine(const QString& file) {
  if (file.isEmpty() || QFileInfo(file).suffix().toLower() == "png") return true;
  terminal::warn("--annotate writes PNG files; give a name that ends in .png, not " + file);
  return false;
}

Result<void> check_output(const QString& file) {
  if (QFileInfo(file).isDir())
    return fail(Error::Kind::invalid, "The picture cannot be written there", file.toStdString() + " is a folder", "Give the name of a file");
  const QFileInfo folder(QFileInfo(file).absolutePath());
  if (!folder.isDir())
    return fail(Error::Kind::not_found, "The folder for the picture does not exist", folder.filePath().toStdString(),
                "Make it first, or choose another");
  if (!folder.isWritable())
    return fail(Error::Kind::io, "The folder for the picture cannot be written", folder.filePath().toStdString(), "Choose another");
  return {};
}

}  // namespace lava::app
