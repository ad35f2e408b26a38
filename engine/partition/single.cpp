// One view of the whole picture: padded to a square (LLaVA-1.5), cut from its centre (CLIP's processor), or squashed (SigLIP's).
#include <fmt/format.h>

#include <algorithm>

#include "engine/partition/methods.h"

namespace lava {
namespace {

// The shorter side becomes `edge`, then a square of `side` is cut from the centre; what is missing for it is black.
void cut_centre(Size image, int edge, int side, View& view) {
  const int64_t shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  const int other = static_cast<int>(static_cast<double>(edge * longer) / static_cast<double>(shorter));
  view.resized = image.width <= image.height ? Size{edge, other} : Size{other, edge};
  const Size room = {std::max(view.resized.width, side), std::max(view.resized.height, side)};
  if (room != view.resized) view.after = {room, (room.width - view.resized.width + 1) / 2, (room.height - view.resized.height + 1) / 2, {}};
  view.cut = {(room.width - side) / 2, (room.height - side) / 2, side, side};
}

class Single final : public Partitioner {
 public:
  explicit Single(const PartitionConfig& config) : config_(config) {}
  std::string_view name() const override { return "single"; }
  Result<std::vector<View>> views(Size image, int) const override {
    LAVA_CHECK_OK(check_picture_size(image));
    return std::vector<View>{single_view(image, config_, config_.fit)};
  }

 private:
  PartitionConfig config_;
};

}  // namespace

Result<void> check_picture_size(Size image) {
  if (image.width >= 1 && image.height >= 1 && image.width <= 65'535 && image.height <= 65'535) return {};
  return fail(Error::Kind::invalid, "The picture has a size that cannot be shown to the model",
              fmt::format("{} x {} pixels", image.width, image.height));
}

View single_view(Size image, const PartitionConfig& config, Fit fit) {
  View view;
  view.size = view.resized = {config.side, config.side};
  view.filter = config.filter;
  view.cut = {0, 0, config.side, config.side};
  if (fit == Fit::pad && image.width != image.height) view.before = media::square_sheet(image, config.padding);
  if (fit == Fit::centre_crop) cut_centre(image, config.shortest_edge > 0 ? config.shortest_edge : config.side, config.side, view);
  view.source = source_of(view, image, {0, 0, view.size.width, view.size.height});
  return view;
}

std::unique_ptr<Partitioner> make_single(const PartitionConfig& config) { return std::make_unique<Single>(config); }

}  // namespace lava
