#include "engine/models/text_names.h"

namespace lava {
namespace {

constexpr std::array<std::string_view, linear_roles> hf_names = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"};
constexpr std::array<std::string_view, linear_roles> gguf_names = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                                                   "ffn_gate", "ffn_up", "ffn_down"};
// Plain and original LLaVA; llava-hf until 4.51; newer; headless text models.
constexpr std::string_view hf_prefixes[] = {"model.", "language_model.model.", "model.language_model.", "language_model.", ""};
constexpr std::string_view hf_heads[] = {"lm_head.weight", "language_model.lm_head.weight", "model.lm_head.weight"};

}  // namespace

std::string_view hf_linear_name(LinearRole role) { return hf_names[static_cast<size_t>(role)]; }

Result<TextNames> TextNames::detect(const io::TensorSource& source) {
  TextNames names;
  if (source.find("token_embd.weight")) {
    names.gguf_ = true;
    if (source.find("output.weight")) names.head_ = "output.weight";
    return names;
  }
  for (const std::string_view head : hf_heads)
    if (names.head_.empty() && source.find(head)) names.head_ = head;
  for (const std::string_view prefix : hf_prefixes) {
    names.prefix_ = prefix;
    if (source.find(names.embedding()) || !source.why_absent(names.embedding()).empty()) return names;
  }
  return fail(Error::Kind::invalid, "The file holds no language model",
              source.describe() + " has no embedding table (embed_tokens.weight or token_embd.weight)",
              "Open the folder or file of the language model itself");
}

std::string TextNames::attention_norm(int layer) const {
  return layer_prefix(layer) + (gguf_ ? "attn_norm.weight" : "input_layernorm.weight");
}

std::string TextNames::mlp_norm(int layer) const {
  return layer_prefix(layer) + (gguf_ ? "ffn_norm.weight" : "post_attention_layernorm.weight");
}

std::string TextNames::linear(int layer, LinearRole role, std::string_view ending) const {
  const std::string_view name = (gguf_ ? gguf_names : hf_names)[static_cast<size_t>(role)];
  return layer_prefix(layer).append(name).append(1, '.').append(ending);
}

}  // namespace lava
