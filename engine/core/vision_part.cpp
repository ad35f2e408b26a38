#include "engine/core/vision_part.h"

#include <fmt/format.h>

namespace lava {
namespace {

// Tower and connector over given views; in a planning run without a picture.
Result<PictureRows> run_parts(Run& run, const VisionPart& part, std::span<const View> views, const media::Picture& picture, Size image, int pictures) {
  const auto scope = run.arena.scope();
  LAVA_TRY(const Features features, part.encoder->encode(run, views, picture, part.connector->needs()));
  return part.connector->fill(run, views, image, pictures, features);
}

std::string key_of(const VisionPart& part, std::span<const View> views, const std::string& content_key) {
  const View& first = views.front();
  return fmt::format("{}|{}|{} views, first {}x{} at {}x{}", content_key, part.cache_id, views.size(), first.resized.width, first.resized.height,
                     first.before.size.width, first.before.size.height);
}

}  // namespace

Result<std::pair<std::vector<View>, ConnectorPlan>> VisionPart::plan(Size image, int pictures_in_prompt) const {
  LAVA_TRY(std::vector<View> views, partitioner->views(image, pictures_in_prompt));
  ConnectorPlan rows = connector->plan(views, image, pictures_in_prompt);
  return std::pair(std::move(views), std::move(rows));
}

Result<std::string> VisionPart::key(Size image, int pictures_in_prompt, const std::string& content_key) const {
  LAVA_TRY(const std::vector<View> views, partitioner->views(image, pictures_in_prompt));
  return key_of(*this, views, content_key);
}

Result<PictureRows> VisionPart::encode(Run& run, const media::Picture& picture, int pictures_in_prompt, const std::string& content_key) const {
  LAVA_TRY(const std::vector<View> views, partitioner->views(picture.size(), pictures_in_prompt));
  LAVA_TRY(PictureRows rows, run_parts(run, *this, views, picture, picture.size(), pictures_in_prompt));
  rows.key = key_of(*this, views, content_key);
  return rows;
}

Result<size_t> VisionPart::arena_bytes() const {
  std::vector<View> most;
  Size image;
  for (const Size size : largest) {
    LAVA_TRY(std::vector<View> views, partitioner->views(size, 1));
    if (views.size() > most.size()) most = std::move(views), image = size;
  }
  LAVA_CHECK(!most.empty());
  const std::unique_ptr<Device> device = make_plan_device();
  Arena arena;
  Run run{*device, arena};
  LAVA_CHECK_OK(run_parts(run, *this, most, {}, image, 1));
  return arena.high_water();
}

}  // namespace lava
