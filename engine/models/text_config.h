// The numbers that describe a language model of the LLaMA kind, and where they come from. Everything is range-checked here.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/gguf.h"
#include "engine/io/json_file.h"
#include "kernels/result.h"
#include "kernels/rope/qkv_rope_store.h"

namespace lava {

struct RopeScaling {
  enum class Kind : uint8_t { none, linear, llama3 } kind = Kind::none;
  double factor = 1;  // linear, llama3: frequencies are divided by it (llama3: only the low ones)
  double low_factor = 1, high_factor = 4;
  double original_context = 8192;
};

struct TextConfig {
  std::string family;  // "llama", "mistral", "qwen2"
  int width = 4096, layers = 32, heads = 32, kv_heads = 32, head_dim = 128, feed_forward = 11008, vocabulary = 32000;
  int context = 2048;  // positions the model was made for
  float eps = 1e-6f;
  double rope_base = 1e4;
  RopeScaling scaling;
  std::vector<float> rope_divisors;  // GGUF rope_freqs.weight [head_dim / 2], or empty
  RopeStyle rope_style = RopeStyle::half;
  bool qkv_bias = false, o_bias = false, mlp_bias = false;
  std::string note;  // something the user should know ("context limited to the sliding window")
};

// One architecture: what its configuration means where it differs from LLaMA. See llama.cpp, mistral.cpp, qwen2.cpp.
struct TextFamily {
  std::string_view name;
  std::vector<std::string_view> hf_types;          // model_type of a text model or text_config
  std::vector<std::string_view> original_classes;  // architectures[0] of the original LLaVA layout
  std::string_view gguf;                           // general.architecture; empty when another family's files cover it
  RopeStyle gguf_style = RopeStyle::adjacent;
  TextConfig defaults;  // class defaults of Hugging Face: published files leave equal keys out
  Result<void> (*finish_hf)(const nlohmann::json&, TextConfig&);
};

const std::vector<TextFamily>& text_families();
const TextFamily& llama_family();
const TextFamily& mistral_family();
const TextFamily& qwen2_family();

// config.json of a text model, of a LLaVA wrapper (text_config), or of the original LLaVA layout.
Result<TextConfig> read_hf_text_config(const nlohmann::json& config);
Result<TextConfig> read_gguf_text_config(const io::Gguf& file);

// Cosines and sines [positions, head_dim]: head_dim / 2 cosines, then as many sines.
void fill_rope_table(const TextConfig& config, int positions, float* out);

}  // namespace lava
