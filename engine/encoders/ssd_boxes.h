// From the raw outputs of a single-shot detector to boxes: anchors, decoding, suppression. Plain host code.
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/prompt.h"

namespace lava::ssd {

inline constexpr int maps = 6;
inline constexpr std::array<int, maps> map_sides = {19, 10, 5, 3, 2, 1};
constexpr int anchors_per_cell(int map) { return map == 0 ? 3 : 6; }
inline constexpr int classes = 91;  // 0 is background, the rest are COCO ids

struct Anchor {
  float cy, cx, h, w;
};
// Row by row, cell by cell, of all maps.
std::vector<Anchor> make_anchors();

// codes: ty, tx, th, tw.
Box decode(const Anchor& anchor, const float* codes);
float overlap(const Box& a, const Box& b);  // intersection over union

struct Rules {
  float threshold = 0.12f;
  int max = 8;
  float iou = 0.5f;
  float min_area = 0.001f;
  int candidates = 150;    // best anchors that are looked at
  bool per_class = false;  // suppress only boxes of the same class
};

struct Found {
  Box box;      // clamped to 0..1
  float score;  // best of the sigmoids of the classes
  int anchor, class_id;
};

float area(const Box& box);
int best_class(const float* logits);  // of [classes], background left out

// Score, anchor and class are given; sets the boxes. Best first, ties in the given order. codes [anchors, 4].
std::vector<Found> keep(std::vector<Found> scored, std::span<const Anchor> anchors, const float* codes, const Rules& rules);

// codes [anchors, 4], logits [anchors, classes]: best first, ties in anchor order.
std::vector<Found> pick(std::span<const Anchor> anchors, const float* codes, const float* logits, const Rules& rules);

float sigmoid(float x);
std::string_view coco_name(int class_id);  // empty where the id has none

}  // namespace lava::ssd
