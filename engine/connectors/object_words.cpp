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
enum Role { mark_role, noun_role, colour_role = noun_role + relations::guesses, down_role, across_role, count_role, picture_role, border_role, roles };
static_assert(picture_role == ObjectWords::rows_per_object);

constexpr float classifier_floor = 1e-3f, detector_floor = 1e-2f;  // of probabilities before their log-odds
constexpr float classifier_share = 0.6f, detector_share = 0.5f;    // of the towers' probabilities, squared, in the mixture with the heads
constexpr float nothing_share = 0.4f;                              // "nothing" counts so much less

float log_odds(float p, float floor) { return std::log((p + floor) / (1 - p + floor)); }

// The heads, trained on drawings, are certain and wrong about photographs that the towers know well: in this mixture a tower that is sure is
// not outvoted. The last noun is "nothing", which the heads learnt on backgrounds that are photographs.
void mix(const Tensor& nouns, const Tensor& sure) {
  const int64_t count = nouns.width();
  for (int64_t r = 0; r < nouns.extent[0]; ++r) {
    float* row = nouns.row(r);
    row[count - 1] *= nothing_share;
    float sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += row[i] += sure.row(r)[i];
    for (int64_t i = 0; i < count; ++i) row[i] /= sum;
  }
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
  LAVA_TRY(noun_table_, words::word_rows(weights, text, config_.nouns));
  LAVA_TRY(noun_words_, words::as_columns(weights, noun_table_));
  Weights scratch(weights.device());
  LAVA_TRY(const Tensor colours, words::word_rows(scratch, text, config_.colours));
  LAVA_TRY(colour_words_, words::as_columns(weights, colours));
  LAVA_TRY(digits_, words::digit_rows(weights, text, most_objects));
  return {};
}

Result<void> ObjectWords::load_layers(Weights& weights, const io::TensorSource& source) {
  const int64_t nouns = noun_words_.in, colours = colour_words_.in;
  LAVA_TRY(const int64_t model_width, words::first_extent(source, "mark.weight"));
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
  LAVA_TRY(mark_, words::load_linear(weights, source, "mark", width_, relations::place_features));
  LAVA_TRY(certain_, words::load_linear(weights, source, "certain", relations::guesses * width_, relations::guess_features));
  LAVA_TRY(down_, words::load_linear(weights, source, "down", width_, relations::place_features));
  LAVA_TRY(across_, words::load_linear(weights, source, "across", width_, relations::place_features));
  LAVA_TRY(count_, words::load_linear(weights, source, "count", width_, relations::count_features));
  LAVA_TRY(roles_, weights.dense(source, "role", {roles, width_}));
  Weights scratch(weights.device());
  LAVA_TRY(const Tensor trust, scratch.dense(source, "heads.trust", {2}));
  trust_classifier_ = trust.f32()[0], trust_detector_ = trust.f32()[1];
  LAVA_TRY(const Tensor rows, scratch.dense(source, "kind_rows", {kinds, width_}));
  LAVA_TRY(kind_words_, words::as_columns(weights, rows));
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

// The classes of the towers count by their log-odds: little when they are diffuse, much when they are sure. `sure`: their share of the mixture.
void ObjectWords::add_evidence(const Seen& seen, const Tensor& logits, const Tensor& sure) const {
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
    for (size_t i = 0; i < count; ++i) {
      const float c = std::min(classifier[i], 1.0f), d = std::min(detector[i], 1.0f);  // several classes may stand for one noun
      logits.row(row)[i] += trust_classifier_ * log_odds(c, classifier_floor) + trust_detector_ * log_odds(d, detector_floor);
      sure.row(row)[i] = std::max(classifier_share * c * c, detector_share * d * d);
    }
  }
}

ObjectWords::Named ObjectWords::name(Run& run, const Seen& seen) const {
  const int64_t n = seen.towers.extent[0];
  const Named named{run.arena.f32({n, noun_words_.in}), run.arena.f32({n, colour_words_.in}), run.arena.f32({1, kinds})};
  const auto scope = run.arena.scope();
  const Tensor h = trunk_.hidden(run, seen.towers);
  words::apply(run, noun_, named.nouns, h);
  const Tensor sure = run.arena.f32({n, noun_words_.in});
  if (!run.planning()) add_evidence(seen, named.nouns, sure);
  ops::softmax(run, named.nouns, named.nouns);
  if (!run.planning()) mix(named.nouns, sure);
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

// [n, guesses * width]: the likeliest nouns of every object as words, and how sure each is.
Tensor ObjectWords::guessed_nouns(Run& run, const Tensor& nouns) const {
  const int64_t n = nouns.extent[0];
  const Tensor out = run.arena.f32({n, int64_t{relations::guesses} * width_}), features = run.arena.f32({n, relations::guess_features});
  std::vector<int> best(static_cast<size_t>(n) * relations::guesses);
  if (!run.planning()) relations::describe_guesses(nouns.f32(), n, nouns.width(), best.data(), features.f32());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < relations::guesses; ++k)
      ops::copy_rows(run, row_at(out, i).columns(k * width_, width_), row_at(noun_table_, best[static_cast<size_t>(i * relations::guesses + k)]));
  words::apply(run, certain_, out, features, Activation::none, true);
  return out;
}

// rows [rows_per_object n, width]
void ObjectWords::write_objects(Run& run, std::span<const Object> objects, const Named& named, const Tensor& rows) const {
  const auto n = static_cast<int64_t>(objects.size());
  const auto scope = run.arena.scope();
  const auto role_rows = [&](int role) {  // of every object the row with this role
    Tensor view(DType::f32, {n, width_}, rows.f32() + int64_t{role} * width_);
    view.stride[0] = int64_t{rows_per_object} * width_;
    return view;
  };
  const Tensor nouns = named.nouns.slice(1, n), place = run.arena.f32({n, relations::place_features}), count = run.arena.f32({n, relations::count_features});
  if (!run.planning()) {
    relations::describe_places(objects, place.f32());
    relations::describe_counts(objects, nouns.f32(), nouns.width(), count.f32());
  }
  ops::copy_rows(run, role_rows(mark_role), digits_.slice(0, n));
  words::apply(run, mark_, role_rows(mark_role), place, Activation::none, true);
  const Tensor guessed = guessed_nouns(run, nouns);
  for (int k = 0; k < relations::guesses; ++k) ops::copy_rows(run, role_rows(noun_role + k), guessed.columns(int64_t{k} * width_, width_));
  words::apply(run, colour_words_, role_rows(colour_role), named.colours.slice(1, n));
  words::apply(run, down_, role_rows(down_role), place);
  words::apply(run, across_, role_rows(across_role), place);
  words::apply(run, count_, role_rows(count_role), count);
  for (int role = 0; role < rows_per_object; ++role) ops::add(run, role_rows(role), role_rows(role), row_at(roles_, role));
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
