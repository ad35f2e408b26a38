#include "engine/connectors/object_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/ops.h"

namespace lava {
namespace {

constexpr int octaves = 4, place_features = 2 * 4 * octaves;
constexpr int64_t max_hidden = 65536;

// First extent of a matrix, checked: sizes that the configuration does not name.
Result<int64_t> first_extent(const io::TensorSource& source, std::string_view name, int64_t ceiling) {
  const io::TensorEntry* entry = source.find(name);
  if (!entry || entry->shape.size() != 2 || entry->shape[0] < 1 || entry->shape[0] > ceiling)
    return fail(Error::Kind::invalid, "The object projector is not usable", fmt::format("{} has no usable matrix {}", source.describe(), name),
                "Install the program again");
  return entry->shape[0];
}

template <class Linear>
Result<Linear> load_linear(Weights& weights, const io::TensorSource& source, const std::string& name, int64_t out, int64_t in) {
  Linear linear;
  LAVA_TRY(linear.weight, weights.matrix(source, name + ".weight", out, in, Precision::exact));
  LAVA_TRY(linear.bias, weights.dense(source, name + ".bias", {out}));
  return linear;
}

template <class Trunk>
Result<Trunk> load_trunk(Weights& weights, const io::TensorSource& source, const std::string& prefix, int64_t in) {
  LAVA_TRY(const int64_t out, first_extent(source, prefix + "1.weight", max_hidden));
  Weights scratch(weights.device());
  LAVA_TRY(const Tensor weight, scratch.dense(source, prefix + "1.weight", {out, in}));
  LAVA_TRY(const Tensor deviation, scratch.dense(source, prefix + "_sd", {in}));
  for (int64_t i = 0; i < in; ++i) {
    if (!(deviation.f32()[i] > 0 && std::isfinite(deviation.f32()[i])))
      return fail(Error::Kind::invalid, "The object projector is not usable", fmt::format("{}_sd has a value that is not above zero", prefix));
    for (int64_t o = 0; o < out; ++o) weight.row(o)[i] /= deviation.f32()[i];
  }
  Trunk trunk;
  LAVA_TRY(trunk.minus_mean, weights.dense(source, prefix + "_mu", {in}));
  for (int64_t i = 0; i < in; ++i) trunk.minus_mean.f32()[i] = -trunk.minus_mean.f32()[i];
  LAVA_TRY(trunk.hidden.weight, weights.matrix_from(weight.f32(), out, in));
  LAVA_TRY(trunk.hidden.bias, weights.dense(source, prefix + "1.bias", {out}));
  return trunk;
}

// Columns are the embeddings of " " + word, so that probabilities over words become a row by one product; no word gives zeros.
Result<Matrix> word_matrix(Weights& weights, const TextEmbeddings& text, std::span<const std::string> words) {
  const int64_t width = text.width(), count = static_cast<int64_t>(words.size());
  std::vector<float> values(static_cast<size_t>(width * count));
  for (int64_t w = 0; w < count; ++w) {
    if (words[static_cast<size_t>(w)].empty()) continue;
    LAVA_TRY(const std::vector<float> row, text.mean_embedding(" " + words[static_cast<size_t>(w)]));
    LAVA_CHECK(static_cast<int64_t>(row.size()) == width);
    for (int64_t i = 0; i < width; ++i) values[static_cast<size_t>(i * count + w)] = row[static_cast<size_t>(i)];
  }
  return weights.matrix_from(values.data(), width, count);
}

// sin and cos of pi 2^j (cx, cy, w, h), coordinate by coordinate: 16 sines, then 16 cosines.
void describe_place(const Box& b, float* out) {
  const float coordinates[4] = {(b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2, b.x2 - b.x1, b.y2 - b.y1};
  for (int c = 0; c < 4; ++c) {
    for (int j = 0; j < octaves; ++j) {
      const float angle = coordinates[c] * static_cast<float>(1 << j) * std::numbers::pi_v<float>;
      out[c * octaves + j] = std::sin(angle), out[place_features / 2 + c * octaves + j] = std::cos(angle);
    }
  }
}

void apply(Run& run, const Matrix& weight, const Tensor& bias, const Tensor& out, const Tensor& x, Activation activation, bool accumulate) {
  const LinearTarget target{weight, bias, out, activation, accumulate};
  ops::linear(run, {&target, 1}, x);
}

}  // namespace

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
  LAVA_TRY(noun_words_, word_matrix(weights, text, nouns));
  LAVA_TRY(colour_words_, word_matrix(weights, text, config.colours));
  LAVA_TRY(class_words_, word_matrix(weights, text, config.classes));
  LAVA_TRY(digits_, weights.zeros({max_objects_, width_}));
  for (int k = 0; k < max_objects_; ++k) {
    LAVA_TRY(const std::vector<float> row, text.mean_embedding(std::to_string(k + 1)));
    std::copy(row.begin(), row.end(), digits_.row(k));
  }
  return {};
}

Result<void> ObjectTokens::load_layers(Weights& weights, const io::TensorSource& source, const EncoderInfo& tower) {
  const int64_t nouns = noun_words_.in, colours = colour_words_.in, width = width_;
  LAVA_TRY(const int64_t model_width, first_extent(source, "g2.weight", max_hidden));
  if (model_width != width)
    return fail(Error::Kind::invalid, "The vision files belong to another language model",
                fmt::format("the projector of {} gives rows of {} values, the language model takes {}", source.describe(), model_width, width),
                "Choose the projector that was made for this model");
  LAVA_TRY(grid_, load_trunk<Trunk>(weights, source, "g", tower.width));
  LAVA_TRY(object_, load_trunk<Trunk>(weights, source, "o", tower.object_width));
  const int64_t grid_hidden = grid_.hidden.weight.out, object_hidden = object_.hidden.weight.out;
  LAVA_TRY(grid_noun_, load_linear<Linear>(weights, source, "gn", nouns, grid_hidden));
  LAVA_TRY(grid_rest_, load_linear<Linear>(weights, source, "g2", width, grid_hidden));
  LAVA_TRY(noun_, load_linear<Linear>(weights, source, "on", nouns, object_hidden));
  LAVA_TRY(rest_, load_linear<Linear>(weights, source, "o2", width, object_hidden));
  LAVA_TRY(colour_, load_linear<Linear>(weights, source, "oc", colours, object_hidden));
  LAVA_TRY(place_, load_linear<Linear>(weights, source, "box", width, place_features));
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

Tensor ObjectTokens::hidden(Run& run, const Trunk& trunk, const Tensor& x) const {
  const Tensor h = run.arena.f32({x.extent[0], trunk.hidden.weight.out});
  const Tensor centred = run.arena.f32({x.extent[0], x.extent[1]});
  ops::add(run, centred, x, trunk.minus_mean);
  apply(run, trunk.hidden.weight, trunk.hidden.bias, h, centred, Activation::gelu, false);
  return h;
}

void ObjectTokens::mix(Run& run, const Linear& scores, const Matrix& words, const Tensor& h, const Tensor& out) const {
  const auto scope = run.arena.scope();
  const Tensor probability = run.arena.f32({h.extent[0], scores.weight.out});
  apply(run, scores.weight, scores.bias, probability, h, Activation::none, false);
  ops::softmax(run, probability, probability);
  apply(run, words, {}, out, probability, Activation::none, false);
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
  const Tensor x = run.arena.f32({n, object_.hidden.weight.in}), classes = run.arena.f32({n, class_words_.in}), place = run.arena.f32({n, place_features});
  for (int64_t k = 0; k < n; ++k) {
    ops::copy_rows(run, x.slice(k, 1).reshape({x.width()}), features.object_features[static_cast<size_t>(k)]);
    ops::copy_rows(run, classes.slice(k, 1).reshape({classes.width()}), features.object_classes[static_cast<size_t>(k)]);
    if (!run.planning()) describe_place(features.objects[static_cast<size_t>(k)].box, place.row(k));
  }
  const Tensor h = hidden(run, object_, x);
  ops::add(run, row(0), digits_.slice(0, n), kind(0));
  apply(run, class_words_, {}, row(1), classes, Activation::none, false);
  ops::add(run, row(1), row(1), kind(3));
  mix(run, noun_, noun_words_, h, row(2));
  apply(run, rest_.weight, rest_.bias, row(2), h, Activation::none, true);
  ops::add(run, row(2), row(2), kind(1));
  mix(run, colour_, colour_words_, h, row(3));
  apply(run, place_.weight, place_.bias, row(3), place, Activation::none, true);
  ops::add(run, row(3), row(3), kind(2));
  return all.reshape({n * rows_per_object, width_});
}

Result<PictureRows> ObjectTokens::fill(Run& run, std::span<const View>, Size, int, const Features& features) {
  LAVA_CHECK(features.grids.size() == 1 && features.objects.size() == features.object_features.size());
  const auto scope = run.arena.scope();
  const Tensor grid = run.arena.f32({cells_, width_});
  const Tensor h = hidden(run, grid_, features.grids[0].reshape({cells_, features.grids[0].width()}));
  mix(run, grid_noun_, noun_words_, h, grid);
  apply(run, grid_rest_.weight, grid_rest_.bias, grid, h, Activation::none, true);
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
