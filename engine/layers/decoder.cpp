#include "engine/layers/decoder.h"

#include <algorithm>
#include <cmath>

#include "kernels/ops.h"

namespace lava {
namespace {

bool has_bias(const TextConfig& c, LinearRole role) {
  if (role <= LinearRole::v) return c.qkv_bias;
  return role == LinearRole::o ? c.o_bias : c.mlp_bias;
}

// Frequencies of LLaMA 3.1 in GGUF files: one divisor per pair.
Result<std::vector<float>> read_rope_divisors(Weights& weights, const io::TensorSource& source, const TextConfig& config) {
  if (!source.find("rope_freqs.weight")) return std::vector<float>();
  LAVA_TRY(std::vector<float> divisors, weights.values(source, "rope_freqs.weight", config.head_dim / 2));
  for (const float value : divisors)
    if (!(value > 0) || !std::isfinite(value))
      return fail(Error::Kind::invalid, "The model's position table is damaged", "rope_freqs.weight holds a number that is not positive",
                  "Download the file again");
  return divisors;
}

}  // namespace

MatrixExtent matrix_extent(const TextConfig& c, LinearRole role) {
  const int64_t queries = int64_t{c.heads} * c.head_dim, keys = int64_t{c.kv_heads} * c.head_dim;
  switch (role) {
    case LinearRole::q:
      return {queries, c.width};
    case LinearRole::k:
    case LinearRole::v:
      return {keys, c.width};
    case LinearRole::o:
      return {c.width, queries};
    case LinearRole::gate:
    case LinearRole::up:
      return {c.feed_forward, c.width};
    default:
      return {c.width, c.feed_forward};
  }
}

Result<std::unique_ptr<Decoder>> Decoder::load(Weights& weights, const io::TensorSource& source, const TextConfig& config,
                                               const DecoderOptions& options, const std::function<void(double)>& progress) {
  LAVA_TRY(const TextNames names, TextNames::detect(source));
  std::unique_ptr<Decoder> decoder(new Decoder());
  decoder->config_ = config;
  decoder->context_ = options.context;
  decoder->first_ = options.first;
  decoder->end_ = options.end < 0 ? config.layers : options.end;
  LAVA_CHECK(0 <= decoder->first_ && decoder->first_ < decoder->end_ && decoder->end_ <= config.layers);
  LAVA_TRY(decoder->config_.rope_divisors, read_rope_divisors(weights, source, config));
  LAVA_CHECK_OK(decoder->load_ends(weights, source, names, options.precision));
  decoder->layers_.resize(static_cast<size_t>(decoder->first_));
  for (int layer = decoder->first_; layer < decoder->end_; ++layer) {
    if (progress) progress(static_cast<double>(layer - decoder->first_) / (decoder->end_ - decoder->first_));
    LAVA_CHECK_OK(decoder->load_layer(weights, source, names, layer, options.precision));
  }
  LAVA_CHECK_OK(decoder->load_rope_table(weights));
  return decoder;
}

// Where one matrix is both ends and both are here, it is there once.
Result<void> Decoder::load_ends(Weights& weights, const io::TensorSource& source, const TextNames& names, Precision precision) {
  const bool tied = names.head().empty();
  if (embeds() && reads_out() && tied) {
    LAVA_TRY(embedding_, weights.matrix(source, names.embedding(), config_.vocabulary, config_.width, precision));
    head_ = embedding_;
  } else {
    if (embeds()) {
      LAVA_TRY(embedding_, weights.table(source, names.embedding(), config_.vocabulary, config_.width));
    }
    if (reads_out()) {
      LAVA_TRY(head_, weights.matrix(source, tied ? names.embedding() : names.head(), config_.vocabulary, config_.width, precision));
    }
  }
  if (reads_out()) {
    LAVA_TRY(final_norm_, weights.dense(source, names.final_norm(), {config_.width}));
  }
  return {};
}

Result<void> Decoder::load_rope_table(Weights& weights) {
  std::vector<float> cos_sin(static_cast<size_t>(context_) * static_cast<size_t>(config_.head_dim));
  if (!weights.planning()) fill_rope_table(config_, context_, cos_sin.data());
  LAVA_TRY(cos_sin_, weights.dense_from(cos_sin, {context_, config_.head_dim}));
  return {};
}

Result<void> Decoder::load_layer(Weights& weights, const io::TensorSource& source, const TextNames& names, int index, Precision precision) {
  DecoderLayer layer;
  LAVA_TRY(layer.attention_norm, weights.dense(source, names.attention_norm(index), {config_.width}));
  LAVA_TRY(layer.mlp_norm, weights.dense(source, names.mlp_norm(index), {config_.width}));
  for (int i = 0; i < linear_roles; ++i) {
    const LinearRole role = static_cast<LinearRole>(i);
    const MatrixExtent extent = matrix_extent(config_, role);
    LAVA_TRY(layer.linear[i].weight, weights.matrix(source, names.linear(index, role), extent.out, extent.in, precision));
    if (!has_bias(config_, role)) continue;
    LAVA_TRY(layer.linear[i].bias, weights.dense(source, names.linear(index, role, "bias"), {extent.out}));
  }
  layers_.push_back(layer);
  return {};
}

Result<void> Decoder::run_layers(Run& run, const Tensor& x, const KvCache& kv, Adapters adapters) const {
  for (int layer = first_; layer < end_; ++layer) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "The request was cancelled");
    attend(run, layer, x, kv, adapters);
    feed_forward(run, layer, x, adapters);
  }
  return {};
}

void Decoder::attend(Run& run, int layer, const Tensor& x, const KvCache& kv, Adapters adapters) const {
  const auto scope = run.arena.scope();
  const int64_t rows = x.extent[0], d = config_.head_dim, queries = config_.heads * d, keys = config_.kv_heads * d;
  const Tensor mix = run.arena.f32({rows, queries});
  const Tensor q = run.arena.f32({rows, queries}), k = run.arena.f32({rows, keys}), v = run.arena.f32({rows, keys});

  project(run, layer, {{LinearRole::q, q}, {LinearRole::k, k}, {LinearRole::v, v}}, x, {layers_[layer].attention_norm, config_.eps}, adapters);
  ops::rope_attention(run, mix.reshape({rows, config_.heads, d}), q.reshape({rows, config_.heads, d}), k.reshape({rows, config_.kv_heads, d}),
                      v.reshape({rows, config_.kv_heads, d}), cos_sin_, config_.rope_style, kv.keys(layer), kv.values(layer),
                      1.0f / std::sqrt(static_cast<float>(d)));
  project(run, layer, {{LinearRole::o, x, true}}, mix, {}, adapters);
}

void Decoder::feed_forward(Run& run, int layer, const Tensor& x, Adapters adapters) const {
  const auto scope = run.arena.scope();
  const int64_t rows = x.extent[0];
  const RmsNorm norm{layers_[layer].mlp_norm, config_.eps};
  const Tensor gate = run.arena.f32({rows, config_.feed_forward}), up = run.arena.f32({rows, config_.feed_forward});
  if (covered(adapters, layer, {{LinearRole::gate, gate}, {LinearRole::up, up}})) {
    project(run, layer, {{LinearRole::gate, gate}, {LinearRole::up, up}}, x, norm, adapters);
    ops::glu(run, gate, gate, up, Activation::silu);
  } else {
    const auto target = [&](LinearRole role, const Tensor& out, Activation activation) {
      const DecoderLayer::Linear& linear = layers_[layer].linear[static_cast<size_t>(role)];
      return LinearTarget{linear.weight, linear.bias, out, activation, false};
    };
    ops::linear_glu(run, target(LinearRole::gate, gate, Activation::silu), target(LinearRole::up, up, Activation::none), x, norm);
  }
  project(run, layer, {{LinearRole::down, x, true}}, gate, {}, adapters);
}

bool Decoder::covered(Adapters adapters, int layer, std::initializer_list<Branch> branches) {
  return std::any_of(adapters.begin(), adapters.end(), [&](const Adapter* adapter) {
    return std::any_of(branches.begin(), branches.end(), [&](const Branch& branch) { return adapter->covers(layer, branch.role); });
  });
}

// The branches share x, normed; deltas of active adapters are added to what the weights gave.
void Decoder::project(Run& run, int layer, std::initializer_list<Branch> branches, Tensor x, RmsNorm norm, Adapters adapters) const {
  const auto scope = run.arena.scope();
  const bool adapted = covered(adapters, layer, branches);
  if (adapted && !norm.gain.empty()) {  // the adapters read it too
    const Tensor normed = run.arena.f32({x.rows(), x.width()});
    ops::rms_norm(run, normed, x, norm.gain, norm.eps);
    x = normed, norm = {};
  }
  std::array<LinearTarget, 3> targets;
  size_t count = 0;
  for (const Branch& branch : branches) {
    const DecoderLayer::Linear& linear = layers_[layer].linear[static_cast<size_t>(branch.role)];
    targets[count++] = {linear.weight, linear.bias, branch.out, Activation::none, branch.accumulate};
  }
  ops::linear(run, {targets.data(), count}, x, norm);
  for (const Adapter* adapter : adapters)
    for (const Branch& branch : branches)
      if (adapter->covers(layer, branch.role)) adapter->add_delta(run, layer, branch.role, x, branch.out);
}

void Decoder::read_out(Run& run, const Tensor& x, const Tensor& logits) const {
  const LinearTarget target{head_, {}, logits};
  ops::linear(run, {&target, 1}, x, {final_norm_, config_.eps});
}

}  // namespace lava
