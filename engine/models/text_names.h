// What the tensors of a language model are called in the file at hand: GGUF, the Hugging Face layouts, the original LLaVA layout.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/io/tensor_source.h"
#include "kernels/result.h"

namespace lava {

// The matrices of a decoder layer.
enum class LinearRole : uint8_t { q, k, v, o, gate, up, down };
inline constexpr int linear_roles = 7;

class TextNames {
 public:
  // Told by the embedding table's name.
  static Result<TextNames> detect(const io::TensorSource& source);

  std::string embedding() const { return prefix_ + (gguf_ ? "token_embd.weight" : "embed_tokens.weight"); }
  std::string final_norm() const { return prefix_ + (gguf_ ? "output_norm.weight" : "norm.weight"); }
  const std::string& head() const { return head_; }  // empty: tied to the embedding
  std::string attention_norm(int layer) const;
  std::string mlp_norm(int layer) const;
  std::string linear(int layer, LinearRole role, std::string_view ending = "weight") const;
  bool gguf() const { return gguf_; }

 private:
  std::string layer_prefix(int layer) const { return prefix_ + (gguf_ ? "blk." : "layers.") + std::to_string(layer) + '.'; }

  std::string prefix_, head_;
  bool gguf_ = false;
};

// "self_attn.q_proj": the name of a matrix inside a layer, Hugging Face style.
std::string_view hf_linear_name(LinearRole role);

}  // namespace lava
