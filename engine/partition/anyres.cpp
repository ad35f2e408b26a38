// Tiles of the picture beside a squashed view of the whole: LLaVA-NeXT ("anyres") and LLaVA-OneVision ("anyres_max", arXiv 2408.03326).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/partition/methods.h"

namespace lava {
namespace {

// The resolution that keeps most of the picture; among equals the one that wastes least, then the first.
Size best_resolution(Size image, const std::vector<Size>& resolutions) {
  Size best = resolutions.front();
  int64_t most = 0, least_waste = std::numeric_limits<int64_t>::max();
  for (const Size target : resolutions) {
    const double scale = std::min(static_cast<double>(target.width) / image.width, static_cast<double>(target.height) / image.height);
    const auto width = static_cast<int64_t>(image.width * scale), height = static_cast<int64_t>(image.height * scale);
    const int64_t effective = std::min(width * height, int64_t{image.width} * image.height);
    const int64_t waste = int64_t{target.width} * target.height - effective;
    if (effective < most || (effective == most && waste >= least_waste)) continue;
    best = target, most = effective, least_waste = waste;
  }
  return best;
}

// The largest size of the same shape inside the target, sides rounded up.
Size fitted(Size image, Size target) {
  const double across = static_cast<double>(target.width) / image.width, down = static_cast<double>(target.height) / image.height;
  if (across < down) return {target.width, std::min(static_cast<int>(std::ceil(image.height * across)), target.height)};
  return {std::min(static_cast<int>(std::ceil(image.width * down)), target.width), target.height};
}

class Anyres final : public Partitioner {
 public:
  Anyres(const PartitionConfig& config, bool only_one) : config_(config), only_one_(only_one) {}
  std::string_view name() const override { return only_one_ ? "anyres_max" : "anyres"; }

  Result<std::vector<View>> views(Size image, int pictures_in_prompt) const override {
    LAVA_CHECK_OK(check_picture_size(image));
    if (only_one_ && pictures_in_prompt > 1) return std::vector<View>{single_view(image, config_, Fit::pad)};
    std::vector<View> views = {single_view(image, config_, Fit::squash)};
    const Size target = best_resolution(image, config_.resolutions);
    View tile;
    tile.role = ViewRole::tile;
    tile.size = {config_.side, config_.side};
    tile.filter = config_.filter;
    tile.resized = fitted(image, target);
    tile.grid_rows = target.height / config_.side;
    tile.grid_columns = target.width / config_.side;
    if (tile.resized != target)
      tile.after = {target, (target.width - tile.resized.width) / 2, (target.height - tile.resized.height) / 2, {}};
    for (tile.row = 0; tile.row < tile.grid_rows; ++tile.row) {
      for (tile.column = 0; tile.column < tile.grid_columns; ++tile.column) {
        tile.cut = {tile.column * config_.side, tile.row * config_.side, config_.side, config_.side};
        tile.source = source_of(tile, image, {0, 0, config_.side, config_.side});
        views.push_back(tile);
      }
    }
    return views;
  }

 private:
  PartitionConfig config_;
  bool only_one_;  // several pictures in one prompt are not tiled
};

}  // namespace

std::unique_ptr<Partitioner> make_anyres(const PartitionConfig& config) { return std::make_unique<Anyres>(config, false); }
std::unique_ptr<Partitioner> make_anyres_max(const PartitionConfig& config) { return std::make_unique<Anyres>(config, true); }

}  // namespace lava
