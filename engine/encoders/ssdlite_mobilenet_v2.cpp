#include "engine/encoders/ssdlite_mobilenet_v2.h"

#include <fmt/format.h>

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

Result<std::unique_ptr<SsdliteMobilenetV2>> SsdliteMobilenetV2::load(Weights& weights, const io::TensorSource& source) {
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
  const PartitionConfig views = detector_views();
  EncoderInfo info;
  info.image_size = side, info.mean = views.mean, info.std = views.std;
  LAVA_CHECK_OK(view_pixels(run, picture, view, info, planes));
  Tensor interleaved(DType::f32, {3, side, side}, x.data);
  interleaved.stride = {1, int64_t{side} * 3, 3, 0};
  ops::copy_rows(run, interleaved, planes);
  return x;
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
