// Regions of pictures that the user drew. The history keeps them as the boxes of a question; numbers from a file can be anything.
#pragma once
#include <QRectF>
#include <optional>
#include <span>
#include <vector>

#include "app/history/history_store.h"

namespace lava::app {

inline constexpr int most_regions = 4;  // of one picture at a time: a model has ten marks for it, the rest are for what it finds itself

// The part of the box that lies in the picture, corners in order; nothing when no pixel is left or a number is none.
std::optional<QRectF> region_on(const GroundedBox& box, const Attachment& picture);

// What a question points at: the usable ones of `boxes`, on the picture of the first of them.
struct DrawnRegions {
  int picture = -1;  // -1: none
  std::vector<QRectF> boxes;
};
// pictures: of the branch, as the boxes count them.
DrawnRegions drawn_regions(std::span<const GroundedBox> boxes, std::span<const Attachment> pictures);

std::vector<Attachment> pictures_of(const std::vector<Message>& branch);
// Those of the boxes that are regions of a picture asked about before.
std::vector<GroundedBox> regions_on(const std::vector<GroundedBox>& boxes, const std::vector<Message>& before);

GroundedBox drawn_box(int picture, const QRectF& region);

}  // namespace lava::app
