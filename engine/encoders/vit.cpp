#include "engine/encoders/vit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/encoders/view_pixels.h"
#include "kernels/ops.h"

namespace lava {
namespace {

// Views share a pass, three of 24 x 24 patches: weights are read once for all of them. More rows would only take more memory.
constexpr int rows_per_pass = 2048;

}  // namespace

Result<std::unique_ptr<Vit>> Vit::load(Weights& weights, const io::TensorSource& source, const VitNames& names, const VitConfig& config,
                                       const std::array<float, 3>& mean, const std::array<float, 3>& std, Precision precision) {
  LAVA_CHECK_OK(check_vit(config));
  std::unique_ptr<Vit> tower(new Vit);
  tower->config_ = config;
  tower->precision_ = precision;
  LAVA_CHECK_OK(tower->load_entry(weights, source, names, precision));
  for (int i = 0; i < config.last_output(); ++i) {
    LAVA_TRY(Block block, tower->load_block(weights, source, names.layer(i), precision));
    tower->blocks_.push_back(block);
  }
  const int grid = config.grid(), kept = config.kept_rows();
  EncoderInfo& info = tower->info_;
  info.width = config.width * static_cast<int>(config.outputs.size());
  info.grid_h = kept == grid * grid ? grid : 1;  // rows that are no square grid become one line
  info.grid_w = kept / info.grid_h;
  info.image_size = config.image;
  info.mean = mean;
  info.std = std;
  return tower;
}

Result<void> Vit::load_entry(Weights& weights, const io::TensorSource& source, const VitNames& names, Precision precision) {
  const int width = config_.width;
  LAVA_TRY(patch_, weights.matrix(source, names.patch + ".weight", width, int64_t{3} * config_.patch * config_.patch, precision));
  if (config_.patch_bias) {
    LAVA_TRY(patch_bias_, weights.dense(source, names.patch + ".bias", {width}));
  }
  if (config_.class_row) {
    LAVA_TRY(class_row_, weights.dense(source, names.class_row, {1, width}));
  }
  LAVA_TRY(positions_, weights.dense(source, names.positions, {config_.rows(), width}));
  if (config_.pre_norm) {
    LAVA_TRY(pre_norm_, weights.dense(source, names.pre_norm + ".weight", {width}));
    LAVA_TRY(pre_norm_bias_, weights.dense(source, names.pre_norm + ".bias", {width}));
  }
  return {};
}

Result<Vit::Block> Vit::load_block(Weights& weights, const io::TensorSource& source, const VitLayerNames& names, Precision precision) const {
  const int64_t width = config_.width, mlp = config_.mlp;
  const auto norm = [&](const std::string& name, Tensor& weight, Tensor& bias) -> Result<void> {
    LAVA_TRY(weight, weights.dense(source, name + ".weight", {width}));
    LAVA_TRY(bias, weights.dense(source, name + ".bias", {width}));
    return {};
  };
  const auto linear = [&](const std::string& name, int64_t out, int64_t in, Linear& target) -> Result<void> {
    LAVA_TRY(target.weight, weights.matrix(source, name + ".weight", out, in, precision));
    LAVA_TRY(target.bias, weights.dense(source, name + ".bias", {out}));
    return {};
  };
  Block block;
  LAVA_CHECK_OK(norm(names.norm1, block.norm1, block.norm1_bias));
  LAVA_CHECK_OK(norm(names.norm2, block.norm2, block.norm2_bias));
  if (!names.qkv.empty() && source.find(names.qkv + ".weight")) {
    LAVA_TRY(const Tensor bias, weights.dense(source, names.qkv + ".bias", {3 * width}));
    Linear* const parts[] = {&block.q, &block.k, &block.v};
    for (int i = 0; i < 3; ++i) {
      LAVA_TRY(parts[i]->weight, weights.matrix_rows(source, names.qkv + ".weight", 3 * width, width, i * width, width, precision));
      parts[i]->bias = bias.slice(i * width, width);
    }
  } else {
    LAVA_CHECK_OK(linear(names.q, width, width, block.q));
    LAVA_CHECK_OK(linear(names.k, width, width, block.k));
    LAVA_CHECK_OK(linear(names.v, width, width, block.v));
  }
  LAVA_CHECK_OK(linear(names.out, width, width, block.out));
  LAVA_CHECK_OK(linear(names.fc1, mlp, width, block.fc1));
  LAVA_CHECK_OK(linear(names.fc2, width, mlp, block.fc2));
  return block;
}

Result<Features> Vit::encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) {
  if (!wanted.layers.empty() || !wanted.cls_attention.empty() || wanted.objects)
    return fail(Error::Kind::unsupported, "The vision tower cannot give what this method asks for", config_.kind + " gives its feature grid only");
  const int count = static_cast<int>(views.size()), kept = config_.kept_rows();
  const Tensor all = run.arena.f32({std::max(count, 1), kept, info_.width});
  const int pass = std::max(1, rows_per_pass / config_.rows());
  for (int begin = 0; begin < count; begin += pass) {
    const int n = std::min(pass, count - begin);
    const auto scope = run.arena.scope();
    const Tensor hidden = run.arena.f32({int64_t{n} * config_.rows(), config_.width});
    LAVA_CHECK_OK(embed(run, views.subspan(begin, n), picture, hidden));
    collect(run, 0, hidden, all.slice(begin, n));
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
      run_block(run, blocks_[i], hidden, n);
      collect(run, static_cast<int>(i) + 1, hidden, all.slice(begin, n));
    }
  }
  Features features;
  for (int i = 0; i < count; ++i) features.grids.push_back(all.slice(i, 1).reshape({info_.grid_h, info_.grid_w, info_.width}));
  return features;
}

// hidden [views * rows, width] = patches x W^T (+ bias), behind the class row, + positions.
Result<void> Vit::embed(Run& run, std::span<const View> views, const media::Picture& picture, const Tensor& hidden) const {
  const int grid = config_.grid(), rows = config_.rows(), before = config_.class_row ? 1 : 0;
  for (size_t i = 0; i < views.size(); ++i) {
    const auto scope = run.arena.scope();
    const Tensor patches = run.arena.f32({int64_t{grid} * grid, int64_t{3} * config_.patch * config_.patch});
    LAVA_CHECK_OK(view_patches(run, picture, views[i], info_, config_.patch, patches));
    const Tensor view = hidden.slice(static_cast<int64_t>(i) * rows, rows);
    const LinearTarget target{patch_, patch_bias_, view.slice(before, grid * grid)};
    ops::linear(run, {&target, 1}, patches);
    if (config_.class_row) ops::copy_rows(run, view.slice(0, 1), class_row_);
    ops::add(run, view, view, positions_);
  }
  if (config_.pre_norm) ops::layer_norm(run, hidden, hidden, pre_norm_, pre_norm_bias_, config_.eps);
  return {};
}

// x += out(attention(norm1(x))); x += fc2(act(fc1(norm2(x)))). Attention stays inside a view.
void Vit::run_block(Run& run, const Block& block, const Tensor& hidden, int views) const {
  const int64_t total = hidden.extent[0], width = config_.width, heads = config_.heads, d = width / heads, rows = config_.rows();
  const auto scope = run.arena.scope();
  const Tensor normed = run.arena.f32({total, width});
  {
    const auto inner = run.arena.scope();
    const Tensor q = run.arena.f32({total, width}), k = run.arena.f32({total, width}), v = run.arena.f32({total, width});
    ops::layer_norm(run, normed, hidden, block.norm1, block.norm1_bias, config_.eps);
    const LinearTarget qkv[] = {{block.q.weight, block.q.bias, q}, {block.k.weight, block.k.bias, k}, {block.v.weight, block.v.bias, v}};
    ops::linear(run, qkv, normed);
    const auto per_head = [&](const Tensor& t, int64_t begin) {  // [heads, rows, d] of one view
      Tensor view(DType::f32, {heads, rows, d}, t.row(begin));
      view.stride = {d, width, 1, 0};
      return view;
    };
    for (int i = 0; i < views; ++i) {
      const int64_t begin = i * rows;
      ops::attention(run, normed.slice(begin, rows).reshape({rows, heads, d}), q.slice(begin, rows).reshape({rows, heads, d}), per_head(k, begin),
                     per_head(v, begin), 1 / std::sqrt(static_cast<float>(d)), false, precision_);
    }
    const LinearTarget out{block.out.weight, block.out.bias, hidden, Activation::none, true};
    ops::linear(run, {&out, 1}, normed);
  }
  ops::layer_norm(run, normed, hidden, block.norm2, block.norm2_bias, config_.eps);
  const Tensor inner = run.arena.f32({total, config_.mlp});
  const LinearTarget fc1{block.fc1.weight, block.fc1.bias, inner, config_.activation};
  ops::linear(run, {&fc1, 1}, normed);
  const LinearTarget fc2{block.fc2.weight, block.fc2.bias, hidden, Activation::none, true};
  ops::linear(run, {&fc2, 1}, inner);
}

// Hidden state `index` goes to its columns of features [views, kept, outputs * width].
void Vit::collect(Run& run, int index, const Tensor& hidden, const Tensor& features) const {
  const int rows = config_.rows(), kept = config_.kept_rows();
  for (size_t k = 0; k < config_.outputs.size(); ++k) {
    if (config_.outputs[k] != index) continue;
    for (int i = 0; i < features.extent[0]; ++i) {
      const Tensor view = features.slice(i, 1).reshape({kept, info_.width});
      ops::copy_rows(run, view.columns(static_cast<int64_t>(k) * config_.width, config_.width), hidden.slice(int64_t{i} * rows + rows - kept, kept));
    }
  }
}

}  // namespace lava
