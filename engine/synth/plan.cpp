#include "engine/synth/plan.h"

#include <fmt/format.h>

#include <cmath>

#include "engine/layers/decoder.h"
#include "engine/partition/settings.h"

namespace lava::synth {
namespace {

// Rows of length n then keep the size of what they multiply: attention sees scores about 1, nothing grows but the sum over the layers.
double keeping(int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }
constexpr Plan::Values norm{0.05, 1}, small{0.02, 0};

void add_general(io::GgufHeader& header, std::string_view architecture, std::string_view type, const FileFormat& format, std::string_view title) {
  header.set("general.architecture", architecture);
  header.set("general.type", type);
  header.set("general.name", std::string(title) + " (random weights)");
  header.set("general.file_type", format.file_type);
  header.set("general.quantization_version", uint32_t{2});
}

uint32_t number(int value) { return static_cast<uint32_t>(value); }

void add_text_keys(io::GgufHeader& header, const TextConfig& c) {
  const auto key = [&](const char* name) { return c.family + '.' + name; };
  header.set(key("vocab_size"), number(c.vocabulary));
  header.set(key("context_length"), number(c.context));
  header.set(key("embedding_length"), number(c.width));
  header.set(key("block_count"), number(c.layers));
  header.set(key("feed_forward_length"), number(c.feed_forward));
  header.set(key("rope.dimension_count"), number(c.head_dim));
  header.set(key("rope.freq_base"), static_cast<float>(c.rope_base));
  header.set(key("attention.head_count"), number(c.heads));
  header.set(key("attention.head_count_kv"), number(c.kv_heads));
  header.set(key("attention.layer_norm_rms_epsilon"), c.eps);
}

struct LayerMatrix {
  const char* name;
  LinearRole role;
  TensorRole tensor = TensorRole::matrix;
};
constexpr LayerMatrix layer_matrices[] = {{"attn_q", LinearRole::q},    {"attn_k", LinearRole::k},    {"attn_v", LinearRole::v, TensorRole::value},
                                          {"attn_output", LinearRole::o}, {"ffn_gate", LinearRole::gate}, {"ffn_up", LinearRole::up},
                                          {"ffn_down", LinearRole::down, TensorRole::down}};

void add_text_layer(Plan& plan, const TextConfig& c, const FileFormat& format, int layer) {
  const std::string prefix = fmt::format("blk.{}.", layer);
  plan.add(prefix + "attn_norm.weight", DType::f32, {c.width}, norm);
  plan.add(prefix + "ffn_norm.weight", DType::f32, {c.width}, norm);
  for (const LayerMatrix& matrix : layer_matrices) {
    const MatrixExtent extent = matrix_extent(c, matrix.role);
    const DType type = text_format(format, matrix.tensor, layer, c.layers, extent.in);
    plan.add(prefix + matrix.name + ".weight", type, {extent.out, extent.in}, {keeping(extent.in)});
    if (c.qkv_bias && matrix.role <= LinearRole::v) plan.add(prefix + matrix.name + ".bias", DType::f32, {extent.out}, small);
  }
}

tl::unexpected<Error> no_model(std::string cause) { return fail(Error::Kind::invalid, "The sizes make no model", std::move(cause)); }

void add_vision_keys(io::GgufHeader& header, const VitConfig& c, int text_width) {
  header.set("clip.has_text_encoder", false);
  header.set("clip.has_vision_encoder", true);
  header.set("clip.has_llava_projector", true);
  header.set("clip.projector_type", "mlp");
  header.set("clip.use_gelu", c.activation == Activation::gelu_tanh);
  header.set("clip.use_silu", c.activation == Activation::silu);
  header.set("clip.vision.image_size", number(c.image));
  header.set("clip.vision.patch_size", number(c.patch));
  header.set("clip.vision.embedding_length", number(c.width));
  header.set("clip.vision.feed_forward_length", number(c.mlp));
  header.set("clip.vision.projection_dim", number(text_width));
  header.set("clip.vision.block_count", number(c.layers));
  header.set("clip.vision.attention.head_count", number(c.heads));
  header.set("clip.vision.attention.layer_norm_epsilon", c.eps);
  std::vector<float> mean(3, 0.5f), deviation(3, 0.5f);
  if (c.class_row) mean.assign(clip_mean.begin(), clip_mean.end()), deviation.assign(clip_std.begin(), clip_std.end());
  header.set("clip.vision.image_mean", mean);
  header.set("clip.vision.image_std", deviation);
  header.set("clip.vision.mm_patch_merge_type", "flat");
}

void add_linear(Plan& plan, const std::string& name, const FileFormat& format, int64_t out, int64_t in) {
  plan.add(name + ".weight", vision_format(format, in), {out, in}, {keeping(in)});
  plan.add(name + ".bias", DType::f32, {out}, small);
}

void add_layer_norm(Plan& plan, const std::string& name, int64_t width) {
  plan.add(name + ".weight", DType::f32, {width}, norm);
  plan.add(name + ".bias", DType::f32, {width}, small);
}

void add_vision_layer(Plan& plan, const VitConfig& c, const FileFormat& format, int layer) {
  const std::string prefix = fmt::format("v.blk.{}.", layer);
  add_layer_norm(plan, prefix + "ln1", c.width);
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_out"}) add_linear(plan, prefix + name, format, c.width, c.width);
  add_layer_norm(plan, prefix + "ln2", c.width);
  add_linear(plan, prefix + "ffn_up", format, c.mlp, c.width);
  add_linear(plan, prefix + "ffn_down", format, c.width, c.mlp);
}

}  // namespace

Result<Plan> plan_text(const TextShape& shape, const FileFormat& format, std::string_view title) {
  const TextConfig& c = shape.config;
  if (c.width < 1 || c.layers < 1 || c.heads < 1 || c.kv_heads < 1 || c.heads % c.kv_heads != 0 || c.head_dim < 2 || c.feed_forward < 1 || c.context < 1)
    return no_model(fmt::format("{} layers of {}, {} heads on {}", c.layers, c.width, c.heads, c.kv_heads));
  if (c.vocabulary < least_vocabulary) return no_model(fmt::format("a vocabulary of {}; the least is {}", c.vocabulary, least_vocabulary));
  Plan plan;
  add_general(plan.header, c.family, "model", format, title);
  add_text_keys(plan.header, c);
  add_vocabulary(plan.header, shape.vocabulary, c.vocabulary, shape.split);
  const auto table = [&](const char* name, TensorRole role, double deviation) {
    plan.add(name, text_format(format, role, 0, c.layers, c.width), {c.vocabulary, c.width}, {deviation});
  };
  // Twice what keeps sizes: logits that differ enough for one word to win.
  const double output = 2 * keeping(c.width);
  table("token_embd.weight", shape.tied ? TensorRole::output : TensorRole::embedding, shape.tied ? output : small.deviation);
  plan.add("output_norm.weight", DType::f32, {c.width}, norm);
  if (!shape.tied) table("output.weight", TensorRole::output, output);
  for (int layer = 0; layer < c.layers; ++layer) add_text_layer(plan, c, format, layer);
  return plan;
}

Result<Plan> plan_vision(const VisionShape& shape, const FileFormat& format, std::string_view title) {
  VitConfig c = shape.tower;
  c.outputs = {c.layers};  // readers take the last block that is there
  LAVA_CHECK_OK(check_vit(c));
  if (shape.text_width < 1 || shape.text_width > 1 << 17) return no_model(fmt::format("rows of {} values", shape.text_width));
  Plan plan;
  add_general(plan.header, "clip", "mmproj", format, title);
  add_vision_keys(plan.header, c, shape.text_width);
  if (c.class_row) plan.add("v.class_embd", DType::f32, {c.width}, small);
  const DType pixels = format.base == DType::f32 ? DType::f32 : DType::f16;  // what convolutions are written in
  plan.add("v.patch_embd.weight", pixels, {c.width, 3, c.patch, c.patch}, {keeping(int64_t{3} * c.patch * c.patch)});
  if (c.patch_bias) plan.add("v.patch_embd.bias", DType::f32, {c.width}, small);
  plan.add("v.position_embd.weight", DType::f32, {c.rows(), c.width}, small);
  if (c.pre_norm) add_layer_norm(plan, "v.pre_ln", c.width);
  for (int layer = 0; layer < c.layers; ++layer) add_vision_layer(plan, c, format, layer);
  add_linear(plan, "mm.0", format, shape.text_width, c.width);
  add_linear(plan, "mm.2", format, shape.text_width, shape.text_width);
  return plan;
}

}  // namespace lava::synth
