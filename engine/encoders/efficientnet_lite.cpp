#include "engine/encoders/efficientnet_lite.h"

#include <fmt/format.h>

#include "kernels/ops.h"

namespace lava {
namespace {

struct Group {
  int repeats, side, stride, expansion, channels;
};
constexpr Group groups[] = {{1, 3, 1, 1, 16}, {2, 3, 2, 6, 24}, {2, 5, 2, 6, 40}, {3, 3, 2, 6, 80}, {3, 5, 1, 6, 112}, {4, 5, 2, 6, 192}, {1, 3, 1, 6, 320}};
constexpr int stem_channels = 32, last_channels = 320;

// Large maps go through the first blocks crop by crop, so that they stay in the cache; small ones together, so that products have many rows.
constexpr size_t single_blocks = 5;
constexpr int single_side = EfficientnetLite::side / 8, single_channels = 40, last_side = EfficientnetLite::side / 32;
static_assert(EfficientnetLite::side % 32 == 0);

}  // namespace

Result<std::unique_ptr<EfficientnetLite>> EfficientnetLite::load(Weights& weights, const io::TensorSource& source) {
  std::unique_ptr<EfficientnetLite> net(new EfficientnetLite);
  LAVA_TRY(net->stem_, conv::load_window(weights, source, "stem", {stem_channels, 3, 3, 2, false}));
  int in = stem_channels;
  for (const Group& group : groups) {
    for (int i = 0; i < group.repeats; ++i) {
      const std::string name = fmt::format("blocks.{}.", net->blocks_.size());
      LAVA_TRY(Block block, load_block(weights, source, name, in, group.channels, group.expansion, group.side, i == 0 ? group.stride : 1));
      net->blocks_.push_back(block);
      in = group.channels;
    }
  }
  LAVA_CHECK(in == last_channels);
  LAVA_TRY(net->head_, conv::load_pointwise(weights, source, "head", width, in, Activation::relu6));
  LAVA_TRY(net->classifier_, weights.matrix(source, "classifier.weight", classes, width, Precision::exact));
  LAVA_TRY(net->classifier_bias_, weights.dense(source, "classifier.bias", {classes}));
  return net;
}

Result<EfficientnetLite::Block> EfficientnetLite::load_block(Weights& weights, const io::TensorSource& source, const std::string& name, int in, int out,
                                                             int expansion, int side, int stride) {
  Block block;
  const int inner = in * expansion;
  if (expansion > 1) {
    LAVA_TRY(block.expand, conv::load_pointwise(weights, source, name + "expand", inner, in, Activation::relu6));
  }
  LAVA_TRY(block.depthwise, conv::load_window(weights, source, name + "depthwise", {inner, 1, side, stride, true}));
  LAVA_TRY(block.project, conv::load_pointwise(weights, source, name + "project", out, inner, Activation::none));
  block.residual = stride == 1 && in == out;
  return block;
}

// `out` may be x itself where the block adds to it.
void EfficientnetLite::apply(Run& run, const Block& block, const Tensor& x, const Tensor& out) {
  const auto scope = run.arena.scope();
  const Tensor inner = block.expand.weight.empty() ? x : conv::product(run, x, block.expand);
  conv::product(run, out, conv::convolve(run, inner, block.depthwise), block.project, block.residual);
}

// x [n, h, w, c] through one block; the result is x's memory where the block is residual.
Tensor EfficientnetLite::after(Run& run, const Block& block, const Tensor& x) const {
  const int s = block.depthwise.stride;
  const Tensor out = block.residual ? x : run.arena.f32({x.extent[0], (x.extent[1] + s - 1) / s, (x.extent[2] + s - 1) / s, block.project.weight.out});
  apply(run, block, x, out);
  return out;
}

Result<void> EfficientnetLite::embed(Run& run, const Tensor& embeddings, const Tensor& crops) const {
  LAVA_CHECK(crops.rank == 4 && crops.extent[1] == side && crops.extent[2] == side && crops.extent[3] == 3);
  const int64_t n = crops.extent[0];
  const auto scope = run.arena.scope();
  Tensor x = run.arena.f32({n, single_side, single_side, single_channels});
  for (int64_t i = 0; i < n; ++i) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
    const auto crop_scope = run.arena.scope();
    Tensor y = conv::convolve(run, crops.slice(i, 1), stem_);
    for (size_t b = 0; b < single_blocks; ++b) y = after(run, blocks_[b], y);
    ops::copy_rows(run, x.slice(i, 1), y);
  }
  for (size_t b = single_blocks; b < blocks_.size(); ++b) {
    if (run.cancelled()) return fail(Error::Kind::cancelled, "Stopped");
    x = after(run, blocks_[b], x);
  }
  const Tensor last = conv::product(run, x, head_);
  for (int64_t i = 0; i < n; ++i)
    ops::pool_mean(run, embeddings.slice(i, 1).reshape({1, 1, width}), last.slice(i, 1).reshape({last_side, last_side, width}), last_side);
  return {};
}

void EfficientnetLite::classify(Run& run, const Tensor& probabilities, const Tensor& embeddings) const {
  const LinearTarget target{classifier_, classifier_bias_, probabilities, Activation::none, false};
  ops::linear(run, {&target, 1}, embeddings);
  ops::softmax(run, probabilities, probabilities);
}

}  // namespace lava
