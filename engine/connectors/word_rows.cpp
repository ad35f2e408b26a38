#include "engine/connectors/word_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/ops.h"

namespace lava::words {
namespace {

constexpr int64_t max_hidden = 65536;

Result<void> put_embedding(const TextEmbeddings& text, const std::string& words, float* row) {
  LAVA_TRY(const std::vector<float> embedding, text.mean_embedding(words));
  LAVA_CHECK(static_cast<int>(embedding.size()) == text.width());
  std::copy(embedding.begin(), embedding.end(), row);
  return {};
}

}  // namespace

Result<int64_t> first_extent(const io::TensorSource& source, std::string_view name) {
  const io::TensorEntry* entry = source.find(name);
  if (!entry || entry->shape.size() != 2 || entry->shape[0] < 1 || entry->shape[0] > max_hidden)
    return fail(Error::Kind::invalid, "The object projector is not usable", fmt::format("{} has no usable matrix {}", source.describe(), name),
                "Install the program again");
  return entry->shape[0];
}

Result<Linear> load_linear(Weights& weights, const io::TensorSource& source, const std::string& name, int64_t out, int64_t in) {
  Linear linear;
  LAVA_TRY(linear.weight, weights.matrix(source, name + ".weight", out, in, Precision::exact));
  LAVA_TRY(linear.bias, weights.dense(source, name + ".bias", {out}));
  return linear;
}

Result<Standardised> load_standardised(Weights& weights, const io::TensorSource& source, const StandardisedNames& names, int64_t in) {
  LAVA_TRY(const int64_t out, first_extent(source, names.layer + ".weight"));
  Weights scratch(weights.device());
  LAVA_TRY(const Tensor weight, scratch.dense(source, names.layer + ".weight", {out, in}));
  LAVA_TRY(const Tensor deviation, scratch.dense(source, names.deviation, {in}));
  for (int64_t i = 0; i < in; ++i) {
    if (!(deviation.f32()[i] > 0 && std::isfinite(deviation.f32()[i])))
      return fail(Error::Kind::invalid, "The object projector is not usable", fmt::format("{} has a value that is not above zero", names.deviation));
    for (int64_t o = 0; o < out; ++o) weight.row(o)[i] /= deviation.f32()[i];
  }
  Standardised trunk;
  LAVA_TRY(trunk.minus_mean, weights.dense(source, names.mean, {in}));
  for (int64_t i = 0; i < in; ++i) trunk.minus_mean.f32()[i] = -trunk.minus_mean.f32()[i];
  LAVA_TRY(trunk.layer.weight, weights.matrix_from(weight.f32(), out, in));
  LAVA_TRY(trunk.layer.bias, weights.dense(source, names.layer + ".bias", {out}));
  return trunk;
}

Tensor Standardised::hidden(Run& run, const Tensor& x) const {
  const Tensor h = run.arena.f32({x.extent[0], layer.weight.out});
  const auto scope = run.arena.scope();
  const Tensor centred = run.arena.f32({x.extent[0], x.extent[1]});
  ops::add(run, centred, x, minus_mean);
  apply(run, layer, h, centred, Activation::gelu);
  return h;
}

Result<Tensor> word_rows(Weights& weights, const TextEmbeddings& text, std::span<const std::string> words) {
  LAVA_TRY(const Tensor rows, weights.zeros({static_cast<int64_t>(words.size()), text.width()}));
  for (size_t w = 0; w < words.size(); ++w)
    if (!words[w].empty()) LAVA_CHECK_OK(put_embedding(text, " " + words[w], rows.row(static_cast<int64_t>(w))));
  return rows;
}

Result<Matrix> as_columns(Weights& weights, const Tensor& rows) {
  const int64_t count = rows.extent[0], width = rows.extent[1];
  std::vector<float> values(static_cast<size_t>(width * count));
  for (int64_t w = 0; w < count; ++w)
    for (int64_t i = 0; i < width; ++i) values[static_cast<size_t>(i * count + w)] = rows.row(w)[i];
  return weights.matrix_from(values.data(), width, count);
}

Result<Tensor> digit_rows(Weights& weights, const TextEmbeddings& text, int count) {
  LAVA_TRY(const Tensor digits, weights.zeros({count, text.width()}));
  for (int k = 0; k < count; ++k) LAVA_CHECK_OK(put_embedding(text, std::to_string(k + 1), digits.row(k)));
  return digits;
}

void apply(Run& run, const Linear& linear, const Tensor& out, const Tensor& x, Activation activation, bool accumulate) {
  const LinearTarget target{linear.weight, linear.bias, out, activation, accumulate};
  ops::linear(run, {&target, 1}, x);
}

void apply(Run& run, const Matrix& weight, const Tensor& out, const Tensor& x) {
  const LinearTarget target{weight, {}, out, Activation::none, false};
  ops::linear(run, {&target, 1}, x);
}

void place_waves(const Box& b, float* out) {
  const float coordinates[4] = {(b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2, b.x2 - b.x1, b.y2 - b.y1};
  for (int c = 0; c < 4; ++c) {
    for (int j = 0; j < octaves; ++j) {
      const float angle = coordinates[c] * static_cast<float>(1 << j) * std::numbers::pi_v<float>;
      out[c * octaves + j] = std::sin(angle), out[wave_features / 2 + c * octaves + j] = std::cos(angle);
    }
  }
}

}  // namespace lava::words
