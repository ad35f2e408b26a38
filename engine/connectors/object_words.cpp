#include "engine/connectors/object_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/connectors/object_relations.h"
#include "engine/encoders/detector_regions.h"
#include "kernels/ops.h"

namespace lava {
namespace {

constexpr int embedding = DetectorRegions::classes_at, tower_width = DetectorRegions::colours_at;
constexpr int kinds = 5;  // of pictures
enum Role { mark_role, noun_role, colour_role, picture_role, border_role, roles };

constexpr float classifier_floor = 1e-3f, detector_floor = 1e-2f;  // of probabilities before their log-odds
constexpr float photo_trust = 0.5f;                                // on photographs the towers' classes count so much more

// Several classes may stand for one noun, whose sum then can pass 1.
float log_odds(float p, float floor) {
  p = std::min(p, 1.0f);
  return std::log((p + floor) / (1 - p + floor));
}

Tensor row_at(const Tensor& table, int64_t i) { return table.slice(i, 1).reshape({table.width()}); }

}  // namespace

Result<std::unique_ptr<ObjectWords>> ObjectWords::load(Weights& weights, const io::TensorSource& source, const ObjectWordsConfig& config,
                                                       const EncoderInfo& tower, const TextEmbeddings& text) {
  if (tower.object_width != DetectorRegions::object_width || tower.object_classes != EfficientnetLite::classes)
    return fail(Error::Kind::invalid, "Rows in words need a tower that looks at regions", "the vision tower of this model does not");
  const auto usable = [&](const std::vector<int>& nouns, int count) {
    return nouns.size() == static_cast<size_t>(count) &&
           std::all_of(nouns.begin(), nouns.end(), [&](int noun) { return noun >= -1 && noun < static_cast<int>(config.nouns.size()); });
  };
  if (config.colours.size() != regions::colours || !usable(config.detector, DetectorRegions::detector_classes) || !usable(config.classifier, EfficientnetLite::classes))
    return fail(Error::Kind::invalid, "The configuration of the object projector is not usable",
                fmt::format("{} colours, {} and {} classes", config.colours.size(), config.detector.size(), config.classifier.size()));
  std::unique_ptr<ObjectWords> connector(new ObjectWords);
  connector->width_ = text.width();
  connector->config_ = config;
  connector->config_.nouns.emplace_back("nothing");
  LAVA_CHECK_OK(connector->load_tables(weights, text));
  LAVA_CHECK_OK(connector->load_layers(weights, source));
  return connector;
}

Result<void> ObjectWords::load_tables(Weights& weights, const TextEmbeddings& text) {
  LAVA_TRY(noun_words_, words::word_matrix(weights, text, config_.nouns));
  LAVA_TRY(colour_words_, words::word_matrix(weights, text, config_.colours));
  LAVA_TRY(digits_, words::digit_rows(weights, text, most_objects));
  return {};
}

Result<void> ObjectWords::load_layers(Weights& weights, const io::TensorSource& source) {
  const int64_t nouns = noun_words_.in, colours = colour_words_.in;
  LAVA_TRY(const int64_t model_width, words::first_extent(source, "place.weight"));
  if (model_width != width_)
    return fail(Error::Kind::invalid, "The vision files belong to another language model",
                fmt::format("the projector of {} gives rows of {} values, the language model takes {}", source.describe(), model_width, width_),
                "Choose the projector that was made for this model");
  LAVA_TRY(trunk_, words::load_standardised(weights, source, {"heads.trunk", "heads.mean", "heads.deviation"}, tower_width));
  const int64_t hidden = trunk_.layer.weight.out;
  LAVA_TRY(noun_, words::load_linear(weights, source, "heads.noun", nouns, hidden));
  LAVA_TRY(kind_, words::load_linear(weights, source, "heads.kind", kinds, hidden));
  LAVA_TRY(const int64_t colour_hidden, words::first_extent(source, "heads.colour_hidden.weight"));
  LAVA_TRY(colour_hidden_, words::load_linear(weights, source, "heads.colour_hidden", colour_hidden, regions::colour_features));
  LAVA_TRY(colour_, words::load_linear(weights, source, "heads.colour", colours, colour_hidden));
  LAVA_TRY(photo_, words::load_linear(weights, source, "heads.photo", 1, hidden));
  LAVA_TRY(place_, words::load_linear(weights, source, "place", width_, relations::place_features));
  LAVA_TRY(count_, words::load_linear(weights, source, "count", width_, relations::count_features));
  LAVA_TRY(roles_, weights.dense(source, "role", {roles, width_}));
  Weights scratch(weights.device());
  LAVA_TRY(const Tensor trust, scratch.dense(source, "heads.trust", {2}));
  trust_classifier_ = trust.f32()[0], trust_detector_ = trust.f32()[1];
  LAVA_TRY(const Tensor rows, scratch.dense(source, "kind_rows", {kinds, width_}));
  std::vector<float> columns(static_cast<size_t>(kinds) * static_cast<size_t>(width_));
  for (int k = 0; k < kinds; ++k)
    for (int i = 0; i < width_; ++i) columns[static_cast<size_t>(i * kinds + k)] = rows.row(k)[i];
  LAVA_TRY(kind_words_, weights.matrix_from(columns.data(), width_, kinds));
  return {};
}

Signals ObjectWords::needs() const {
  Signals signals;
  signals.objects = true;
  return signals;
}

ConnectorPlan ObjectWords::plan(std::span<const View>, Size, int) const {
  return {picture_rows + rows_per_object * most_objects, false, {}};
}

ObjectWords::Seen ObjectWords::gather(Run& run, const Features& features) const {
  const auto n = static_cast<int64_t>(features.objects.size()) + 1;
  const Seen seen{run.arena.f32({n, tower_width}), run.arena.f32({n, regions::colour_features}), run.arena.f32({n, EfficientnetLite::classes})};
  const Tensor whole = features.grids[0].reshape({features.grids[0].width()});
  for (int64_t i = 0; i < n; ++i) {
    const Tensor x = i == 0 ? whole.columns(0, DetectorRegions::object_width) : features.object_features[static_cast<size_t>(i - 1)];
    const Tensor p = i == 0 ? whole.columns(DetectorRegions::object_width, EfficientnetLite::classes) : features.object_classes[static_cast<size_t>(i - 1)];
    ops::copy_rows(run, row_at(seen.towers, i), x.columns(0, tower_width));
    ops::copy_rows(run, row_at(seen.colours, i), x.columns(DetectorRegions::colours_at, regions::colour_features));
    ops::copy_rows(run, row_at(seen.probabilities, i), p);
  }
  return seen;
}

// The classes of the towers count by their log-odds, and more on photographs, which they were made for. photo [n, 1] before the sigmoid.
void ObjectWords::add_evidence(const Seen& seen, const Tensor& photo, const Tensor& logits) const {
  const size_t count = static_cast<size_t>(logits.width());
  std::vector<float> classifier(count), detector(count);
  for (int64_t row = 0; row < logits.extent[0]; ++row) {
    std::fill(classifier.begin(), classifier.end(), 0.0f);
    std::fill(detector.begin(), detector.end(), 0.0f);
    for (size_t i = 0; i < config_.classifier.size(); ++i)
      if (config_.classifier[i] >= 0) classifier[static_cast<size_t>(config_.classifier[i])] += seen.probabilities.row(row)[i];
    const float* roots = seen.towers.row(row) + embedding;
    for (size_t i = 0; i < config_.detector.size(); ++i)
      if (config_.detector[i] >= 0) detector[static_cast<size_t>(config_.detector[i])] += roots[i] * roots[i];
    const float more = photo_trust * ssd::sigmoid(photo.row(row)[0]);
    for (size_t i = 0; i < count; ++i)
      logits.row(row)[i] += (trust_classifier_ + more) * log_odds(classifier[i], classifier_floor) + (trust_detector_ + more) * log_odds(detector[i], detector_floor);
  }
}

ObjectWords::Named ObjectWords::name(Run& run, const Seen& seen) const {
  const int64_t n = seen.towers.extent[0];
  const Named named{run.arena.f32({n, noun_words_.in}), run.arena.f32({n, colour_words_.in}), run.arena.f32({1, kinds})};
  const auto scope = run.arena.scope();
  const Tensor h = trunk_.hidden(run, seen.towers);
  words::apply(run, noun_, named.nouns, h);
  const Tensor photo = run.arena.f32({n, 1});
  words::apply(run, photo_, photo, h);
  if (!run.planning()) add_evidence(seen, photo, named.nouns);
  ops::softmax(run, named.nouns, named.nouns);
  words::apply(run, kind_, named.kind, h.slice(0, 1));
  ops::softmax(run, named.kind, named.kind);
  const Tensor tint = run.arena.f32({n, colour_hidden_.weight.out});
  words::apply(run, colour_hidden_, tint, seen.colours, Activation::gelu);
  words::apply(run, colour_, named.colours, tint);
  ops::softmax(run, named.colours, named.colours);
  return named;
}

// rows [2, width]
void ObjectWords::write_picture(Run& run, const Seen& seen, const Named& named, const Tensor& rows) const {
  const auto scope = run.arena.scope();
  const Tensor border = run.arena.f32({1, regions::colours}), what = rows.slice(0, 1), around = rows.slice(1, 1);
  ops::copy_rows(run, border, seen.colours.slice(0, 1).columns(regions::colours, regions::colours));  // shares around the box
  words::apply(run, noun_words_, what, named.nouns.slice(0, 1));
  words::apply(run, {kind_words_, {}}, what, named.kind, Activation::none, true);
  ops::add(run, what, what, row_at(roles_, picture_role));
  words::apply(run, colour_words_, around, border);
  ops::add(run, around, around, row_at(roles_, border_role));
}

// rows [3 n, width]
void ObjectWords::write_objects(Run& run, std::span<const Object> objects, const Named& named, const Tensor& rows) const {
  const auto n = static_cast<int64_t>(objects.size());
  const auto scope = run.arena.scope();
  const auto role_rows = [&](Role role) {  // of every object the row with this role
    Tensor view(DType::f32, {n, width_}, rows.f32() + int64_t{role} * width_);
    view.stride[0] = int64_t{rows_per_object} * width_;
    return view;
  };
  const Tensor nouns = named.nouns.slice(1, n), place = run.arena.f32({n, relations::place_features}), count = run.arena.f32({n, relations::count_features});
  if (!run.planning()) {
    relations::describe_places(objects, place.f32());
    relations::describe_counts(objects, nouns.f32(), nouns.width(), count.f32());
  }
  const Tensor mark = role_rows(mark_role), noun = role_rows(noun_role), colour = role_rows(colour_role);
  ops::add(run, mark, digits_.slice(0, n), row_at(roles_, mark_role));
  words::apply(run, place_, mark, place, Activation::none, true);
  words::apply(run, noun_words_, noun, nouns);
  ops::add(run, noun, noun, row_at(roles_, noun_role));
  words::apply(run, colour_words_, colour, named.colours.slice(1, n));
  words::apply(run, count_, colour, count, Activation::none, true);
  ops::add(run, colour, colour, row_at(roles_, colour_role));
}

std::string ObjectWords::best_noun(const float* nouns) const {
  const auto best = static_cast<size_t>(std::max_element(nouns, nouns + config_.nouns.size()) - nouns);
  return best + 1 < config_.nouns.size() ? config_.nouns[best] : std::string();
}

Result<PictureRows> ObjectWords::fill(Run& run, std::span<const View>, Size, int, const Features& features) {
  const size_t n = features.objects.size();
  LAVA_CHECK(features.grids.size() == 1 && n == features.object_features.size() && n <= most_objects);
  const auto scope = run.arena.scope();
  const Tensor rows = run.arena.f32({picture_rows + rows_per_object * static_cast<int64_t>(n), width_});
  const Seen seen = gather(run, features);
  const Named named = name(run, seen);
  write_picture(run, seen, named, rows.slice(0, picture_rows));
  if (n > 0) write_objects(run, features.objects, named, rows.slice(picture_rows, rows.extent[0] - picture_rows));
  PictureRows result;
  result.width = width_;
  if (run.planning()) return result;
  result.objects = features.objects;
  result.rows.assign(rows.f32(), rows.f32() + rows.elements());
  RowInfo info;
  info.kind = RowKind::image, info.view = 0;
  result.info.assign(picture_rows, info);
  for (size_t k = 0; k < n; ++k) {
    result.objects[k].label = best_noun(named.nouns.row(static_cast<int64_t>(k) + 1));
    info.kind = features.objects[k].pointed ? RowKind::region : RowKind::object;
    result.info.insert(result.info.end(), rows_per_object, info);
  }
  return result;
}

}  // namespace lava
