#include "engine/core/vision_part.h"

#include <fmt/format.h>

namespace lava {
namespace {

struct Shown {
  const media::Picture& picture;
  Size image;
  int pictures_in_prompt;
  std::vector<Box> places;
};

// Tower and connector over given views; in a planning run without a picture.
Result<PictureRows> run_parts(Run& run, const VisionPart& part, std::span<const View> views, const Shown& shown) {
  const auto scope = run.arena.scope();
  Signals wanted = part.connector->needs();
  wanted.places = shown.places;
  LAVA_TRY(const Features features, part.encoder->encode(run, views, shown.picture, wanted));
  return part.connector->fill(run, views, shown.image, shown.pictures_in_prompt, features);
}

std::string key_of(const VisionPart& part, std::span<const View> views, const PictureRequest& request) {
  const View& first = views.front();
  std::string key = fmt::format("{}|{}|{} views, first {}x{} at {}x{}", request.content_key, part.cache_id, views.size(), first.resized.width,
                                first.resized.height, first.before.size.width, first.before.size.height);
  for (const Box& box : request.places) key += fmt::format("|{} {} {} {}", box.x1, box.y1, box.x2, box.y2);
  return key;
}

}  // namespace

Result<std::pair<std::vector<View>, ConnectorPlan>> VisionPart::plan(Size image, int pictures_in_prompt) const {
  LAVA_TRY(std::vector<View> views, partitioner->views(image, pictures_in_prompt));
  ConnectorPlan rows = connector->plan(views, image, pictures_in_prompt);
  return std::pair(std::move(views), std::move(rows));
}

Result<std::string> VisionPart::key(Size image, int pictures_in_prompt, const PictureRequest& request) const {
  LAVA_TRY(const std::vector<View> views, partitioner->views(image, pictures_in_prompt));
  return key_of(*this, views, request);
}

Result<PictureRows> VisionPart::encode(Run& run, const media::Picture& picture, int pictures_in_prompt, const PictureRequest& request) const {
  LAVA_TRY(const std::vector<View> views, partitioner->views(picture.size(), pictures_in_prompt));
  if (!request.places.empty() && !encoder->info().takes_places)
    return fail(Error::Kind::unsupported, "This model cannot be shown regions of a picture", "its vision part looks at whole pictures",
                "Leave the regions out, or choose the default model");
  LAVA_TRY(PictureRows rows, run_parts(run, *this, views, {picture, picture.size(), pictures_in_prompt, request.places}));
  rows.key = key_of(*this, views, request);
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
  const media::Picture nothing;
  LAVA_CHECK_OK(run_parts(run, *this, most, {nothing, image, 1, {}}));
  return arena.high_water();
}

}  // namespace lava
