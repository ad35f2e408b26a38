#include "engine/partition/unpad.h"

#include <algorithm>
#include <cmath>

#include "kernels/check.h"

namespace lava {
namespace {

// int(round(x, 7)): a value that only a floating-point accident keeps below a whole number counts as that number.
int whole(double x) { return static_cast<int>(std::floor(x + 5e-8)); }

// Rows or columns of padding on each side, at least one is kept of every axis.
int padding(int extent, int filled) { return std::clamp((extent - filled) / 2, 0, (extent - 1) / 2); }

void unpad(Size image, PackPlan& plan) {
  const double shape = static_cast<double>(image.width) / image.height, map_shape = static_cast<double>(plan.map.width) / plan.map.height;
  if (shape > map_shape)
    plan.crop_rows = padding(plan.map.height, whole(image.height * (static_cast<double>(plan.map.width) / image.width)));
  else
    plan.crop_columns = padding(plan.map.width, whole(image.width * (static_cast<double>(plan.map.height) / image.height)));
  plan.kept = {plan.map.width - 2 * plan.crop_columns, plan.map.height - 2 * plan.crop_rows};
}

Size reduced(Size map, const PackSettings& settings) {
  if (settings.max_tiles <= 0) return map;
  const double most = static_cast<double>(settings.max_tiles) * settings.cells.height * settings.cells.height;
  const double ratio = std::sqrt(static_cast<double>(map.width) * map.height / most);
  if (ratio <= 1.1) return map;
  return {std::max(static_cast<int>(std::floor(map.width / ratio)), 1), std::max(static_cast<int>(std::floor(map.height / ratio)), 1)};
}

}  // namespace

PackPlan pack_plan(Size image, std::span<const View> views, const PackSettings& settings) {
  LAVA_CHECK(!views.empty() && settings.cells.width > 0 && settings.cells.height > 0 && image.width > 0 && image.height > 0);
  PackPlan plan;
  const int cells = settings.cells.width * settings.cells.height;
  plan.base_tokens = cells;
  if (views.size() == 1) {
    plan.newlines = settings.mode == PackMode::spatial_unpad ? 1 : 0;
    plan.tokens = cells + plan.newlines;
    return plan;
  }
  const View& last = views.back();
  plan.map = plan.kept = {last.grid_columns * settings.cells.width, last.grid_rows * settings.cells.height};
  if (settings.mode == PackMode::spatial_unpad) unpad(image, plan);
  plan.shown = settings.mode == PackMode::spatial_unpad ? reduced(plan.kept, settings) : plan.kept;
  plan.newlines = settings.mode == PackMode::spatial_unpad ? plan.shown.height : 0;
  plan.tokens = cells + plan.shown.width * plan.shown.height + plan.newlines;
  return plan;
}

}  // namespace lava
