#include "engine/encoders/detector_regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/ops.h"

namespace lava {
namespace {

static_assert(regions::crop_side == EfficientnetLite::side);

void put_pixels(const media::Picture& picture, float* out) {
  for (size_t i = 0; i < picture.rgb.size(); ++i) out[i] = (static_cast<float>(picture.rgb[i]) - 127) / 128;
}

}  // namespace

Result<std::unique_ptr<DetectorRegions>> DetectorRegions::load(Weights& weights, const Sources& sources, const ssd::Rules& rules) {
  std::unique_ptr<DetectorRegions> tower(new DetectorRegions);
  LAVA_TRY(tower->detector_, SsdliteMobilenetV2::load(weights, sources.detector));
  LAVA_TRY(tower->proposals_, ProposalHead::load(weights, sources.proposals));
  LAVA_TRY(tower->classifier_, EfficientnetLite::load(weights, sources.classifier));
  tower->rules_ = rules;
  const PartitionConfig seen = detector_views();
  tower->info_ = {object_width + EfficientnetLite::classes, 1, 1, seen.side, object_width, EfficientnetLite::classes, seen.mean, seen.std, true};
  return tower;
}

// An anchor's score is the chance that the head or the detector is right; the head corrects its box unless the detector is the surer of the
// two. What stays is sorted by size.
Result<std::vector<DetectorRegions::Region>> DetectorRegions::find(Run& run, const View& view, const media::Picture& picture, int most) const {
  const auto scope = run.arena.scope();
  LAVA_TRY(const Tensor x, detector_->read_view(run, view, picture));
  LAVA_TRY(const SsdliteMobilenetV2::Outputs outputs, detector_->forward(run, x));
  const Tensor head = proposals_->forward(run, outputs.maps);
  std::vector<Region> found(run.planning() ? static_cast<size_t>(most) : 0);
  if (run.planning()) return found;
  const auto anchors = detector_->anchors();
  std::vector<ssd::Found> all(anchors.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const float *logits = outputs.logits.row(row), *own = head.row(row);
    const int best = ssd::best_class(logits);
    const float thing = ssd::sigmoid(own[0]), known = ssd::sigmoid(logits[best]);
    all[i] = {{}, thing + known - thing * known, static_cast<int>(i), best};
    for (int c = 0; c < 4 && thing >= known; ++c) outputs.codes.row(row)[c] += own[c + 1];
  }
  ssd::Rules rules = rules_;
  rules.max = most;
  std::vector<ssd::Found> kept = ssd::keep(std::move(all), anchors, outputs.codes.f32(), rules);
  std::stable_sort(kept.begin(), kept.end(), [](const ssd::Found& a, const ssd::Found& b) { return ssd::area(a.box) > ssd::area(b.box); });
  for (const ssd::Found& one : kept) {
    Region region{one.box, one.score, std::vector<float>(detector_classes), false};
    const float* logits = outputs.logits.row(one.anchor);
    for (int c = 0; c < detector_classes; ++c) region.classes[static_cast<size_t>(c)] = ssd::sigmoid(logits[c + 1]);
    found.push_back(std::move(region));
  }
  return found;
}

// x [n, object_width], probabilities [n, 1000].
Result<void> DetectorRegions::describe(Run& run, std::span<const Region> regions, const media::Picture& picture, const Tensor& x,
                                       const Tensor& probabilities) const {
  const auto n = static_cast<int64_t>(regions.size());
  const auto scope = run.arena.scope();
  const Tensor crops = run.arena.f32({n, regions::crop_side, regions::crop_side, 3}), embeddings = run.arena.f32({n, EfficientnetLite::width});
  for (int64_t i = 0; i < n && !run.planning(); ++i) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
    const Region& region = regions[static_cast<size_t>(i)];
    const regions::Crop crop = regions::crop_of(picture, region.box);
    put_pixels(crop.pixels, crops.slice(i, 1).f32());
    float* row = x.row(i);
    std::fill(row + classes_at, row + colours_at, 0.0f);
    for (size_t c = 0; c < region.classes.size(); ++c) row[classes_at + static_cast<int>(c)] = std::sqrt(region.classes[c]);
    regions::describe_colours(crop, row + colours_at);
    row[score_at] = region.score, row[score_at + 1] = region.pointed ? 1.0f : 0.0f;
  }
  LAVA_CHECK_OK(classifier_->embed(run, embeddings, crops));
  classifier_->classify(run, probabilities, embeddings);
  ops::copy_rows(run, x.columns(0, EfficientnetLite::width), embeddings);
  return {};
}

Result<Features> DetectorRegions::encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) {
  if (!wanted.layers.empty() || !wanted.cls_attention.empty())
    return fail(Error::Kind::unsupported, "The detector cannot give what this method asks for", "it has no transformer layers");
  if (views.size() != 1)
    return fail(Error::Kind::invalid, "The picture is cut into views that the vision tower cannot read", fmt::format("it reads one view, not {}", views.size()));
  std::vector<Box> pointed = wanted.places;
  if (run.planning()) pointed.resize(static_cast<size_t>(most_objects - rules_.max));  // as many objects as there can be
  const auto places = static_cast<int>(pointed.size());
  if (places > most_objects)
    return fail(Error::Kind::too_large, "Too many places of a picture are pointed at", fmt::format("{} of at most {}", places, most_objects),
                "Point at fewer places");
  const int most = wanted.objects ? std::min(rules_.max, most_objects - places) : 0;
  const Tensor grid = run.arena.f32({1, 1, object_width + EfficientnetLite::classes});
  const Tensor x = run.arena.f32({1 + most + places, object_width}), probabilities = run.arena.f32({1 + most + places, EfficientnetLite::classes});

  std::vector<Region> regions = {{{0, 0, 1, 1}, 1, {}, false}};
  LAVA_TRY(std::vector<Region> found, find(run, views[0], picture, most));
  regions.insert(regions.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  for (const Box& box : pointed) regions.push_back({box, 1, {}, true});
  const auto n = static_cast<int64_t>(regions.size());
  LAVA_CHECK_OK(describe(run, regions, picture, x.slice(0, n), probabilities.slice(0, n)));

  Features features;
  ops::copy_rows(run, grid.columns(0, object_width), x.slice(0, 1).reshape({1, 1, object_width}));
  ops::copy_rows(run, grid.columns(object_width, EfficientnetLite::classes), probabilities.slice(0, 1).reshape({1, 1, EfficientnetLite::classes}));
  features.grids.push_back(grid);
  for (int64_t i = 1; i < n; ++i) {
    const Region& region = regions[static_cast<size_t>(i)];
    features.objects.push_back({region.box, region.score, {}, region.pointed});
    features.object_features.push_back(x.slice(i, 1).reshape({object_width}));
    features.object_classes.push_back(probabilities.slice(i, 1).reshape({EfficientnetLite::classes}));
  }
  return features;
}

}  // namespace lava
