#include "app/chat/regions.h"

#include <algorithm>
#include <cmath>

namespace lava::app {

std::optional<QRectF> region_on(const GroundedBox& box, const Attachment& picture) {
  const bool numbers = std::isfinite(box.x1) && std::isfinite(box.y1) && std::isfinite(box.x2) && std::isfinite(box.y2);
  if (!numbers || picture.width < 1 || picture.height < 1) return std::nullopt;
  const auto inside = [](double value, int extent) { return std::clamp(value, 0.0, static_cast<double>(extent)); };
  const QPointF first(inside(box.x1, picture.width), inside(box.y1, picture.height)), second(inside(box.x2, picture.width), inside(box.y2, picture.height));
  const QRectF region = QRectF(first, second).normalized();
  if (region.width() < 1 || region.height() < 1) return std::nullopt;
  return region;
}

DrawnRegions drawn_regions(std::span<const GroundedBox> boxes, std::span<const Attachment> pictures) {
  DrawnRegions drawn;
  for (const GroundedBox& box : boxes) {
    if (box.picture < 0 || box.picture >= static_cast<int>(pictures.size()) || (drawn.picture >= 0 && box.picture != drawn.picture)) continue;
    const auto region = region_on(box, pictures[static_cast<size_t>(box.picture)]);
    if (!region || drawn.boxes.size() >= most_regions) continue;
    drawn.picture = box.picture;
    drawn.boxes.push_back(*region);
  }
  return drawn;
}

std::vector<Attachment> pictures_of(const std::vector<Message>& branch) {
  std::vector<Attachment> pictures;
  for (const Message& message : branch) pictures.insert(pictures.end(), message.attachments.begin(), message.attachments.end());
  return pictures;
}

std::vector<GroundedBox> regions_on(const std::vector<GroundedBox>& boxes, const std::vector<Message>& before) {
  const DrawnRegions drawn = drawn_regions(boxes, pictures_of(before));
  std::vector<GroundedBox> regions;
  for (const QRectF& region : drawn.boxes) regions.push_back(drawn_box(drawn.picture, region));
  return regions;
}

GroundedBox drawn_box(int picture, const QRectF& region) {
  GroundedBox box{"region", region.left(), region.top(), region.right(), region.bottom()};
  box.picture = picture;
  return box;
}

}  // namespace lava::app
