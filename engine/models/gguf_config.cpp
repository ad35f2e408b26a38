// The keys of a GGUF language model.
#include <fmt/format.h>

#include <algorithm>

#include "engine/models/config_checks.h"
#include "engine/models/text_config.h"

namespace lava {
namespace {

Result<void> read_rope(const io::Gguf& file, const std::string& arch, TextConfig& config) {
  LAVA_TRY(config.rope_base, file.real_in(arch + "rope.freq_base", 1, 1e15, 1e4));
  LAVA_TRY(const int64_t rotary, file.int_in(arch + "rope.dimension_count", 1, 1 << 20, config.head_dim));
  if (rotary != config.head_dim) return unsupported_rope(fmt::format("of {} of {} values of a head", rotary, config.head_dim));
  const bool typed = file.has(arch + "rope.scaling.type");
  const std::string type(file.string(arch + "rope.scaling.type").value_or("none"));
  if (type != "none" && type != "linear") return unsupported_rope(type);
  LAVA_TRY(const double older, file.real_in(arch + "rope.scale_linear", 1e-6, 1e6, 1.0));
  LAVA_TRY(const double factor, file.real_in(arch + "rope.scaling.factor", 1e-6, 1e6, older));
  if (type == "linear" || (!typed && factor != 1)) {
    config.scaling.kind = RopeScaling::Kind::linear;
    config.scaling.factor = factor;
  }
  return {};
}

Result<void> read_sizes(const io::Gguf& file, const std::string& arch, TextConfig& config) {
  const auto number = [&](const char* key, int64_t most, std::optional<int64_t> fallback, int& out) -> Result<void> {
    LAVA_TRY(const int64_t value, file.int_in(arch + key, 1, most, fallback));
    out = static_cast<int>(value);
    return {};
  };
  LAVA_CHECK_OK(number("embedding_length", 1 << 17, {}, config.width));
  LAVA_CHECK_OK(number("block_count", 1024, {}, config.layers));
  LAVA_CHECK_OK(number("attention.head_count", 4096, {}, config.heads));
  LAVA_CHECK_OK(number("attention.head_count_kv", 4096, config.heads, config.kv_heads));
  LAVA_CHECK_OK(number("feed_forward_length", 1 << 20, {}, config.feed_forward));
  LAVA_CHECK_OK(number("context_length", 1 << 28, {}, config.context));
  std::optional<int64_t> head_dim;
  if (file.has(arch + "attention.key_length")) {
    LAVA_TRY(head_dim, file.int_in(arch + "attention.key_length", 2, 4096));
  }
  LAVA_CHECK_OK(set_head_dim(config, head_dim));
  LAVA_TRY(const int64_t value_dim, file.int_in(arch + "attention.value_length", 1, 4096, config.head_dim));
  if (value_dim == config.head_dim) return {};
  return fail(Error::Kind::unsupported, "This model's keys and values differ in size",
              fmt::format("{} and {}", config.head_dim, value_dim));
}

Result<void> read_vocabulary(const io::Gguf& file, TextConfig& config) {
  const io::TensorEntry* table = file.find("token_embd.weight");
  if (!table || table->shape.size() != 2)
    return fail(Error::Kind::invalid, "The file holds no language model", file.describe() + " has no matrix token_embd.weight",
                "Open the main model file");
  if (table->shape[0] < 1 || table->shape[0] > 4'000'000)
    return fail(Error::Kind::too_large, "The vocabulary has an impossible size", fmt::format("{} entries", table->shape[0]));
  config.vocabulary = static_cast<int>(table->shape[0]);
  return {};
}

}  // namespace

Result<TextConfig> read_gguf_text_config(const io::Gguf& file) {
  const std::string name = file.architecture();
  const auto& families = text_families();
  const auto family =
      std::find_if(families.begin(), families.end(), [&](const TextFamily& f) { return !f.gguf.empty() && f.gguf == name; });
  if (family == families.end()) return unknown_model(name);
  TextConfig out = family->defaults;
  const std::string arch = name + ".";
  out.rope_style = family->gguf_style;
  LAVA_TRY(const int64_t experts, file.int_in(arch + "expert_count", 0, 1 << 16, 0));
  if (experts > 0)
    return fail(Error::Kind::unsupported, "Models that mix experts are not supported",
                fmt::format("{} has {} experts", file.describe(), experts));
  LAVA_CHECK_OK(read_sizes(file, arch, out));
  LAVA_CHECK_OK(read_vocabulary(file, out));
  LAVA_TRY(const double eps, file.real_in(arch + "attention.layer_norm_rms_epsilon", 1e-12, 1));
  out.eps = static_cast<float>(eps);
  LAVA_CHECK_OK(read_rope(file, arch, out));
  LAVA_TRY(const int64_t window, file.int_in(arch + "attention.sliding_window", 0, int64_t{1} << 31, 0));
  if (window > 0 && window < out.context) {
    out.context = static_cast<int>(window);
    out.note = "context limited to the sliding window";
  }
  out.qkv_bias = file.find("blk.0.attn_q.bias") != nullptr;
  out.o_bias = file.find("blk.0.attn_output.bias") != nullptr;
  out.mlp_bias = file.find("blk.0.ffn_gate.bias") != nullptr;
  return out;
}

}  // namespace lava
