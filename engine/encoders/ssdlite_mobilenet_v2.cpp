#include "engine/encoders/ssdlite_mobilenet_v2.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/encoders/view_pixels.h"
#include "kernels/ops.h"

namespace lava {
namespace {

using conv::convolve;
using conv::load_pointwise;
using conv::load_window;
using conv::product;

constexpr int out_channels[17] = {16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320};
constexpr int extra_reduced[4] = {256, 128, 128, 64}, extra_out[4] = {512, 256, 256, 128};
constexpr int detail_block = 13;  // its expanded map, 19 x 19, is the first that is read

constexpr bool halves(int block) { return block == 1 || block == 3 || block == 6 || block == detail_block; }

}  // namespace

PartitionConfig detector_views() {
  PartitionConfig config;
  config.fit = Fit::pad;
  config.side = SsdliteMobilenetV2::side;
  config.padding = {128, 128, 128};
  config.filter = media::Filter::bilinear;
  config.mean = config.std = {0.5f, 0.5f, 0.5f};
  return config;
}

Result<std::unique_ptr<SsdliteMobilenetV2>> SsdliteMobilenetV2::load(Weights& weights, const io::TensorSource& source, const ssd::Rules& proposals) {
  std::unique_ptr<SsdliteMobilenetV2> tower(new SsdliteMobilenetV2);
  LAVA_TRY(tower->stem_, load_window(weights, source, "stem", {32, 3, 3, 2, false}));
  int in = 32;
  for (int i = 0; i < 17; ++i) {
    const int inner = i == 0 ? in : in * 6;
    LAVA_TRY(Stage stage, tower->load_stage(weights, source, fmt::format("blocks.{}.", i), false, in, inner, out_channels[i], halves(i) ? 2 : 1));
    tower->blocks_.push_back(stage);
    in = out_channels[i];
  }
  LAVA_TRY(tower->head_, load_pointwise(weights, source, "head", head_width, in, Activation::relu6));
  in = head_width;
  for (int i = 0; i < 4; ++i) {
    LAVA_TRY(Stage stage, tower->load_stage(weights, source, fmt::format("extra.{}.", i + 2), true, in, extra_reduced[i], extra_out[i], 2));
    tower->extra_.push_back(stage);
    in = extra_out[i];
  }
  LAVA_CHECK_OK(tower->load_predictors(weights, source));
  tower->anchors_ = ssd::make_anchors();
  tower->proposals_ = proposals;
  const PartitionConfig views = detector_views();
  tower->info_ = {grid_width, 5, 5, side, object_width, ssd::classes - 1, views.mean, views.std};
  return tower;
}

Result<SsdliteMobilenetV2::Stage> SsdliteMobilenetV2::load_stage(Weights& weights, const io::TensorSource& source, const std::string& name, bool extra,
                                                                 int in, int inner, int out, int stride) const {
  Stage stage;
  if (inner != in || extra) {
    LAVA_TRY(stage.first, load_pointwise(weights, source, name + (extra ? "reduce" : "expand"), inner, in, Activation::relu6));
  }
  LAVA_TRY(stage.depthwise, load_window(weights, source, name + "depthwise", {inner, 1, 3, stride, true}));
  LAVA_TRY(stage.last, load_pointwise(weights, source, name + (extra ? "expand" : "project"), out, inner,
                                                 extra ? Activation::relu6 : Activation::none));
  stage.residual = !extra && stride == 1 && in == out;
  return stage;
}

Result<void> SsdliteMobilenetV2::load_predictors(Weights& weights, const io::TensorSource& source) {
  for (int i = 0; i < ssd::maps; ++i) {
    Predictor& p = predictors_[i];
    const std::string box = fmt::format("predict.{}.box.", i), label = fmt::format("predict.{}.class.", i);
    const int anchors = ssd::anchors_per_cell(i), width = map_channels(i);
    LAVA_TRY(p.box_window, load_window(weights, source, box + "depthwise", {width}));
    LAVA_TRY(p.class_window, load_window(weights, source, label + "depthwise", {width}));
    LAVA_TRY(p.box, load_pointwise(weights, source, box + "out", anchors * 4, width, Activation::none));
    LAVA_TRY(p.label, load_pointwise(weights, source, label + "out", anchors * ssd::classes, width, Activation::none));
  }
  return {};
}

Result<SsdliteMobilenetV2::Outputs> SsdliteMobilenetV2::forward(Run& run, const Tensor& input) const {
  Outputs result;
  const auto anchors = static_cast<int64_t>(anchors_.size());
  result.codes = run.arena.f32({anchors, 4});
  result.logits = run.arena.f32({anchors, ssd::classes});
  result.maps[0] = run.arena.f32({ssd::map_sides[0], ssd::map_sides[0], inner_width});
  Tensor x = convolve(run, input, stem_);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
    const Stage& stage = blocks_[i];
    const int s = stage.depthwise.stride, h = (x.extent[0] + s - 1) / s, w = (x.extent[1] + s - 1) / s;
    const Tensor out = stage.residual ? x : run.arena.f32({h, w, stage.last.weight.out});
    const auto scope = run.arena.scope();
    Tensor inner = x;
    if (!stage.first.weight.empty()) {
      inner = i == detail_block ? result.maps[0] : run.arena.f32({x.extent[0], x.extent[1], stage.first.weight.out});
      product(run, inner, x, stage.first);
    }
    product(run, out, convolve(run, inner, stage.depthwise), stage.last, stage.residual);
    x = out;
  }
  result.maps[1] = run.arena.f32({x.extent[0], x.extent[1], head_width});
  product(run, result.maps[1], x, head_);
  for (size_t i = 0; i < extra_.size(); ++i) {
    const Tensor& from = result.maps[i + 1];
    const int n = ssd::map_sides[i + 2];
    result.maps[i + 2] = run.arena.f32({n, n, extra_[i].last.weight.out});
    const auto scope = run.arena.scope();
    const Tensor reduced = run.arena.f32({from.extent[0], from.extent[1], extra_[i].first.weight.out});
    product(run, reduced, from, extra_[i].first);
    product(run, result.maps[i + 2], convolve(run, reduced, extra_[i].depthwise), extra_[i].last);
  }
  predict(run, result);
  return result;
}

void SsdliteMobilenetV2::predict(Run& run, const Outputs& result) const {
  int64_t begin = 0;
  for (int i = 0; i < ssd::maps; ++i) {
    const auto scope = run.arena.scope();
    const Tensor& map = result.maps[i];
    const int64_t n = map.extent[0], per_cell = ssd::anchors_per_cell(i), count = n * n * per_cell;
    const Predictor& p = predictors_[i];
    product(run, result.codes.slice(begin, count).reshape({n, n, per_cell * 4}), convolve(run, map, p.box_window), p.box);
    product(run, result.logits.slice(begin, count).reshape({n, n, per_cell * ssd::classes}), convolve(run, map, p.class_window), p.label);
    begin += count;
  }
}

// [300, 300, 3] from the [3, 300, 300] that pictures come in.
Result<Tensor> SsdliteMobilenetV2::read_view(Run& run, const View& view, const media::Picture& picture) const {
  const Tensor x = run.arena.f32({side, side, 3});
  const auto scope = run.arena.scope();
  const Tensor planes = run.arena.f32({3, side, side});
  LAVA_CHECK_OK(view_pixels(run, picture, view, info_, planes));
  Tensor interleaved(DType::f32, {3, side, side}, x.data);
  interleaved.stride = {1, int64_t{side} * 3, 3, 0};
  ops::copy_rows(run, interleaved, planes);
  return x;
}

Result<Features> SsdliteMobilenetV2::encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) {
  if (!wanted.layers.empty() || !wanted.cls_attention.empty())
    return fail(Error::Kind::unsupported, "The detector cannot give what this method asks for", "it has no transformer layers");
  Features features;
  const Tensor grids = run.arena.f32({std::max<int64_t>(static_cast<int64_t>(views.size()), 1), 5, 5, grid_width});
  const int64_t most = wanted.objects ? proposals_.max : 0;
  const Tensor found = run.arena.f32({std::max<int64_t>(most, 1), object_width});
  const Tensor classes = run.arena.f32({std::max<int64_t>(most, 1), ssd::classes - 1});
  for (size_t i = 0; i < views.size(); ++i) {
    const auto scope = run.arena.scope();
    LAVA_TRY(const Tensor x, read_view(run, views[i], picture));
    LAVA_TRY(const Outputs outputs, forward(run, x));
    const Tensor detail = padded(run, outputs.maps[0]);
    features.grids.push_back(grids.slice(static_cast<int64_t>(i), 1).reshape({5, 5, grid_width}));
    join_grid(run, detail, outputs.maps[1], x, features.grids.back());
    if (wanted.objects && i == 0) describe(run, outputs, detail, x, found, classes, features);
  }
  return features;
}

// 19 x 19 -> 20 x 20: the last row and column stand twice.
Tensor SsdliteMobilenetV2::padded(Run& run, const Tensor& map) const {
  const int n = map.extent[0], c = map.extent[2];
  const Tensor out = run.arena.f32({n + 1, n + 1, c});
  const auto part = [&](const Tensor& t, int y, int x, int h, int w) {
    Tensor view = t;
    view.extent = {h, w, c, 1};
    view.data += (y * t.stride[0] + x * t.stride[1]) * static_cast<int64_t>(sizeof(float));
    return view;
  };
  ops::copy_rows(run, part(out, 0, 0, n, n), map);
  ops::copy_rows(run, part(out, n, 0, 1, n), part(map, n - 1, 0, 1, n));
  ops::copy_rows(run, part(out, 0, n, n, 1), part(map, 0, n - 1, n, 1));
  ops::copy_rows(run, part(out, n, n, 1, 1), part(map, n - 1, n - 1, 1, 1));
  return out;
}

// Cells of 60 pixels: head | detail | colour, means over their parts.
void SsdliteMobilenetV2::join_grid(Run& run, const Tensor& detail, const Tensor& head, const Tensor& x, const Tensor& out) const {
  const auto scope = run.arena.scope();
  const Tensor detail10 = run.arena.f32({10, 10, inner_width}), colour10 = run.arena.f32({10, 10, colour_width});
  const Tensor joined = run.arena.f32({10, 10, grid_width});
  ops::pool_mean(run, detail10, detail, 2);
  ops::pool_mean(run, colour10, x, 30);
  ops::copy_rows(run, joined.columns(0, head_width), head);
  ops::copy_rows(run, joined.columns(head_width, inner_width), detail10);
  ops::copy_rows(run, joined.columns(head_width + inner_width, colour_width), colour10);
  ops::pool_mean(run, out, joined, 2);
}

// Which anchors become objects depends on the outputs, so this is where they are read back.
void SsdliteMobilenetV2::describe(Run& run, const Outputs& outputs, const Tensor& detail, const Tensor& x, const Tensor& found, const Tensor& classes,
                                  Features& features) const {
  const Tensor colour = run.arena.f32({60, 60, colour_width});
  ops::pool_mean(run, colour, x, 5);
  std::vector<ssd::Found> picked(run.planning() ? proposals_.max : 0);
  if (!run.planning()) picked = ssd::pick(anchors_, outputs.codes.f32(), outputs.logits.f32(), proposals_);
  for (size_t k = 0; k < picked.size(); ++k) {
    const auto row = static_cast<int64_t>(k);
    features.objects.push_back({picked[k].box, picked[k].score, std::string(ssd::coco_name(picked[k].class_id))});
    features.object_features.push_back(found.slice(row, 1).reshape({object_width}));
    features.object_classes.push_back(classes.slice(row, 1).reshape({ssd::classes - 1}));
    if (run.planning()) continue;
    const Box& b = picked[k].box;
    float *out = found.row(row), *probability = classes.row(row);
    const float* logits = outputs.logits.row(picked[k].anchor);
    for (int c = 1; c < ssd::classes; ++c) probability[c - 1] = ssd::sigmoid(logits[c]);
    const float shrink = 19.0f / 20, cx = (b.x1 + b.x2) / 2, cy = (b.y1 + b.y2) / 2, w = (b.x2 - b.x1) / 4, h = (b.y2 - b.y1) / 4;
    ssd::region_mean(outputs.maps[1].f32(), 10, head_width, b, out);
    ssd::region_mean(detail.f32(), 20, inner_width, {b.x1 * shrink, b.y1 * shrink, b.x2 * shrink, b.y2 * shrink}, out + head_width);
    float* roots = out + head_width + inner_width;
    for (int c = 0; c + 1 < ssd::classes; ++c) roots[c] = std::sqrt(probability[c]);
    ssd::region_mean(colour.f32(), 60, colour_width, {cx - w, cy - h, cx + w, cy + h}, roots + ssd::classes - 1);
  }
}

Result<std::vector<Object>> SsdliteMobilenetV2::detections(Run& run, const View& view, const media::Picture& picture, float threshold, int max) const {
  const auto scope = run.arena.scope();
  LAVA_TRY(const Tensor x, read_view(run, view, picture));
  LAVA_TRY(const Outputs outputs, forward(run, x));
  std::vector<Object> objects;
  if (run.planning()) return objects;
  ssd::Rules rules;
  rules.threshold = threshold, rules.per_class = true, rules.min_area = 0;
  rules.candidates = rules.max = max_detections;
  for (const ssd::Found& found : ssd::pick(anchors_, outputs.codes.f32(), outputs.logits.f32(), rules)) {
    const std::string_view name = ssd::coco_name(found.class_id);
    if (!name.empty() && static_cast<int>(objects.size()) < max) objects.push_back({found.box, found.score, std::string(name)});
  }
  return objects;
}

}  // namespace lava
