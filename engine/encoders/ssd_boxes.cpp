#include "engine/encoders/ssd_boxes.h"

#include <algorithm>
#include <cmath>

namespace lava::ssd {
namespace {

constexpr std::string_view coco_names[classes] = {
    "", "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "", "stop sign",
    "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "", "backpack", "umbrella", "",
    "", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard",
    "surfboard", "tennis racket", "bottle", "", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "", "dining table", "", "", "toilet", "", "tv",
    "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "", "book", "clock", "vase",
    "scissors", "teddy bear", "hair drier", "toothbrush"};

bool suppressed(const Found& candidate, std::span<const Found> kept, const Rules& rules) {
  return std::any_of(kept.begin(), kept.end(), [&](const Found& other) {
    return (!rules.per_class || other.class_id == candidate.class_id) && overlap(candidate.box, other.box) > rules.iou;
  });
}

}  // namespace

float area(const Box& b) { return (b.x2 - b.x1) * (b.y2 - b.y1); }

int best_class(const float* logits) { return static_cast<int>(std::max_element(logits + 1, logits + classes) - logits); }

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

std::string_view coco_name(int class_id) { return class_id >= 0 && class_id < classes ? coco_names[class_id] : std::string_view(); }

std::vector<Anchor> make_anchors() {
  constexpr double scale[maps + 1] = {0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0};
  struct Shape {
    double scale, ratio;
  };
  std::vector<Anchor> anchors;
  for (int m = 0; m < maps; ++m) {
    std::vector<Shape> shapes = {{0.1, 1}, {scale[0], 2}, {scale[0], 0.5}};
    if (m > 0) {
      shapes.clear();
      for (const double ratio : {1.0, 2.0, 0.5, 3.0, 1.0 / 3}) shapes.push_back({scale[m], ratio});
      shapes.push_back({std::sqrt(scale[m] * scale[m + 1]), 1});
    }
    const int n = map_sides[m];
    for (int y = 0; y < n; ++y)
      for (int x = 0; x < n; ++x)
        for (const Shape& s : shapes)
          anchors.push_back({static_cast<float>((y + 0.5) / n), static_cast<float>((x + 0.5) / n), static_cast<float>(s.scale / std::sqrt(s.ratio)),
                             static_cast<float>(s.scale * std::sqrt(s.ratio))});
  }
  return anchors;
}

Box decode(const Anchor& a, const float* t) {
  const float cy = a.cy + t[0] / 10 * a.h, cx = a.cx + t[1] / 10 * a.w, h = a.h * std::exp(t[2] / 5), w = a.w * std::exp(t[3] / 5);
  return {cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
}

float overlap(const Box& a, const Box& b) {
  const float w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1), h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  return w * h / (area(a) + area(b) - w * h);
}

std::vector<Found> keep(std::vector<Found> all, std::span<const Anchor> anchors, const float* codes, const Rules& rules) {
  std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
  all.resize(std::min(all.size(), static_cast<size_t>(std::max(rules.candidates, 0))));
  std::vector<Found> kept;
  for (Found& found : all) {
    if (!(found.score >= rules.threshold) || static_cast<int>(kept.size()) >= rules.max) break;
    const Box raw = decode(anchors[static_cast<size_t>(found.anchor)], codes + int64_t{found.anchor} * 4);
    const auto clamp = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
    found.box = {clamp(raw.x1), clamp(raw.y1), clamp(raw.x2), clamp(raw.y2)};
    if (!(area(found.box) >= rules.min_area) || suppressed(found, kept, rules)) continue;
    kept.push_back(found);
  }
  return kept;
}

std::vector<Found> pick(std::span<const Anchor> anchors, const float* codes, const float* logits, const Rules& rules) {
  std::vector<Found> all(anchors.size());
  for (size_t i = 0; i < anchors.size(); ++i) {
    const float* row = logits + i * classes;
    const int best = best_class(row);
    all[i] = {{}, sigmoid(row[best]), static_cast<int>(i), best};
  }
  return keep(std::move(all), anchors, codes, rules);
}

}  // namespace lava::ssd
