#include <algorithm>
#include <cstring>

#include "engine/partition/partitioner.h"
#include "kernels/check.h"

namespace lava {
namespace {

Rect overlap(Rect a, Rect b) {
  const int x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  const int right = std::min(a.x + a.width, b.x + b.width), bottom = std::min(a.y + a.height, b.y + b.height);
  return {x, y, std::max(right - x, 0), std::max(bottom - y, 0)};
}

// [at, at + length) of an axis scaled from `from` to `to` samples, rounded outwards.
std::pair<int, int> scaled(int at, int length, int from, int to) {
  const int64_t first = int64_t{at} * to / from, last = (int64_t{at} + length) * to;
  return {static_cast<int>(first), static_cast<int>((last + from - 1) / from - first)};
}

}  // namespace

media::Picture render_view(const media::Picture& picture, const View& view) {
  if (!view.after.used()) return media::resize_window(picture, view.before, view.resized, view.cut, view.filter);
  const auto [red, green, blue] = view.after.colour;
  media::Picture out = media::blank_picture({view.cut.width, view.cut.height}, red, green, blue);
  const Rect seen = overlap(view.cut, {view.after.x, view.after.y, view.resized.width, view.resized.height});
  if (seen.width == 0 || seen.height == 0) return out;
  const Rect window = {seen.x - view.after.x, seen.y - view.after.y, seen.width, seen.height};
  const media::Picture part = media::resize_window(picture, view.before, view.resized, window, view.filter);
  for (int y = 0; y < part.height; ++y)
    std::memcpy(out.row(seen.y - view.cut.y + y) + static_cast<size_t>(seen.x - view.cut.x) * 3, part.row(y),
                static_cast<size_t>(part.width) * 3);
  return out;
}

Rect source_of(const View& view, Size image, Rect inside) {
  const Rect moved = {inside.x + view.cut.x - view.after.x, inside.y + view.cut.y - view.after.y, inside.width, inside.height};
  const Rect seen = overlap(moved, {0, 0, view.resized.width, view.resized.height});
  const Size sheet = view.before.used() ? view.before.size : image;
  const auto [x, width] = scaled(seen.x, seen.width, view.resized.width, sheet.width);
  const auto [y, height] = scaled(seen.y, seen.height, view.resized.height, sheet.height);
  return overlap({x - view.before.x, y - view.before.y, width, height}, {0, 0, image.width, image.height});
}

}  // namespace lava
