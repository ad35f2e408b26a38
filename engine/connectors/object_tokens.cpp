#include "engine/connectors/object_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/ops.h"

namespace lava {
using words::apply;
using words::load_linear;

Result<std::unique_ptr<ObjectTokens>> ObjectTokens::load(Weights& weights, const io::TensorSource& source, const ObjectTokensConfig& config,
                                                         const EncoderInfo& tower, const TextEmbeddings& text) {
  if (tower.object_width == 0)
    return fail(Error::Kind::invalid, "Object rows need a tower that finds objects", "the vision tower of this model finds none");
  if (config.max_objects < 1 || config.max_objects > 9 || static_cast<int>(config.classes.size()) != tower.object_classes)
    return fail(Error::Kind::invalid, "The configuration of the object projector is not usable",
                fmt::format("{} objects, {} classes for a tower with {}", config.max_objects, config.classes.size(), tower.object_classes));
  std::unique_ptr<ObjectTokens> connector(new ObjectTokens);
  connector->width_ = text.width();
  connector->cells_ = tower.grid_h * tower.grid_w, connector->grid_w_ = tower.grid_w;
  connector->max_objects_ = config.max_objects;
  LAVA_CHECK_OK(connector->load_tables(weights, config, text));
  LAVA_CHECK_OK(connector->load_layers(weights, source, tower));
  return connector;
}

Result<void> ObjectTokens::load_tables(Weights& weights, const ObjectTokensConfig& config, const TextEmbeddings& text) {
  std::vector<std::string> nouns = config.nouns;
  nouns.emplace_back("nothing");
  LAVA_TRY(noun_words_, words::word_matrix(weights, text, nouns));
  LAVA_TRY(colour_words_, words::word_matrix(weights, text, config.colours));
  LAVA_TRY(class_words_, words::word_matrix(weights, text, config.classes));
  LAVA_TRY(digits_, words::digit_rows(weights, text, max_objects_));
  return {};
}

Result<void> ObjectTokens::load_layers(Weights& weights, const io::TensorSource& source, const EncoderInfo& tower) {
  const int64_t nouns = noun_words_.in, colours = colour_words_.in, width = width_;
  LAVA_TRY(const int64_t model_width, words::first_extent(source, "g2.weight"));
  if (model_width != width)
    return fail(Error::Kind::invalid, "The vision files belong to another language model",
                fmt::format("the projector of {} gives rows of {} values, the language model takes {}", source.describe(), model_width, width),
                "Choose the projector that was made for this model");
  LAVA_TRY(grid_, words::load_standardised(weights, source, {"g1", "g_mu", "g_sd"}, tower.width));
  LAVA_TRY(object_, words::load_standardised(weights, source, {"o1", "o_mu", "o_sd"}, tower.object_width));
  const int64_t grid_hidden = grid_.layer.weight.out, object_hidden = object_.layer.weight.out;
  LAVA_TRY(grid_noun_, load_linear(weights, source, "gn", nouns, grid_hidden));
  LAVA_TRY(grid_rest_, load_linear(weights, source, "g2", width, grid_hidden));
  LAVA_TRY(noun_, load_linear(weights, source, "on", nouns, object_hidden));
  LAVA_TRY(rest_, load_linear(weights, source, "o2", width, object_hidden));
  LAVA_TRY(colour_, load_linear(weights, source, "oc", colours, object_hidden));
  LAVA_TRY(place_, load_linear(weights, source, "box", width, words::wave_features));
  LAVA_TRY(positions_, weights.dense(source, "gpos", {cells_, width}));
  LAVA_TRY(kinds_, weights.dense(source, "kind", {rows_per_object, width}));
  return {};
}

Signals ObjectTokens::needs() const {
  Signals signals;
  signals.objects = true;
  return signals;
}

ConnectorPlan ObjectTokens::plan(std::span<const View>, Size, int) const { return {cells_ + rows_per_object * max_objects_, false, {}}; }

void ObjectTokens::mix(Run& run, const Linear& scores, const Matrix& vocabulary, const Tensor& h, const Tensor& out) const {
  const auto scope = run.arena.scope();
  const Tensor probability = run.arena.f32({h.extent[0], scores.weight.out});
  apply(run, scores, probability, h);
  ops::softmax(run, probability, probability);
  apply(run, vocabulary, out, probability);
}

Tensor ObjectTokens::object_rows(Run& run, const Features& features) const {
  const auto n = static_cast<int64_t>(features.objects.size());
  const Tensor all = run.arena.f32({n, rows_per_object, width_});
  const auto scope = run.arena.scope();
  const auto row = [&](int i) {  // the i-th row of every object
    Tensor view(DType::f32, {n, width_}, all.f32() + int64_t{i} * width_);
    view.stride[0] = int64_t{rows_per_object} * width_;
    return view;
  };
  const auto kind = [&](int i) { return kinds_.slice(i, 1).reshape({width_}); };
  const Tensor x = run.arena.f32({n, object_.layer.weight.in}), classes = run.arena.f32({n, class_words_.in}), place = run.arena.f32({n, words::wave_features});
  for (int64_t k = 0; k < n; ++k) {
    ops::copy_rows(run, x.slice(k, 1).reshape({x.width()}), features.object_features[static_cast<size_t>(k)]);
    ops::copy_rows(run, classes.slice(k, 1).reshape({classes.width()}), features.object_classes[static_cast<size_t>(k)]);
    if (!run.planning()) words::place_waves(features.objects[static_cast<size_t>(k)].box, place.row(k));
  }
  const Tensor h = object_.hidden(run, x);
  ops::add(run, row(0), digits_.slice(0, n), kind(0));
  apply(run, class_words_, row(1), classes);
  ops::add(run, row(1), row(1), kind(3));
  mix(run, noun_, noun_words_, h, row(2));
  apply(run, rest_, row(2), h, Activation::none, true);
  ops::add(run, row(2), row(2), kind(1));
  mix(run, colour_, colour_words_, h, row(3));
  apply(run, place_, row(3), place, Activation::none, true);
  ops::add(run, row(3), row(3), kind(2));
  return all.reshape({n * rows_per_object, width_});
}

Result<PictureRows> ObjectTokens::fill(Run& run, std::span<const View>, Size, int, const Features& features) {
  LAVA_CHECK(features.grids.size() == 1 && features.objects.size() == features.object_features.size());
  const auto scope = run.arena.scope();
  const Tensor grid = run.arena.f32({cells_, width_});
  const Tensor h = grid_.hidden(run, features.grids[0].reshape({cells_, features.grids[0].width()}));
  mix(run, grid_noun_, noun_words_, h, grid);
  apply(run, grid_rest_, grid, h, Activation::none, true);
  ops::add(run, grid, grid, positions_);
  Tensor objects;
  if (!features.objects.empty()) objects = object_rows(run, features);
  PictureRows result;
  result.width = width_;
  if (run.planning()) return result;
  result.objects = features.objects;
  result.rows.assign(grid.f32(), grid.f32() + grid.elements());
  if (!objects.empty()) result.rows.insert(result.rows.end(), objects.f32(), objects.f32() + objects.elements());
  for (int i = 0; i < cells_; ++i) {
    RowInfo info;
    info.kind = RowKind::image, info.view = 0;
    info.y = static_cast<int16_t>(i / grid_w_), info.x = static_cast<int16_t>(i % grid_w_);
    result.info.push_back(info);
  }
  RowInfo info;
  info.kind = RowKind::object, info.view = 0;
  result.info.resize(result.info.size() + features.objects.size() * rows_per_object, info);
  return result;
}

}  // namespace lava
