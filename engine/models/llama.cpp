// LLaMA 1 to 3, Vicuna, Yi, SmolLM2: the common case.
#include "engine/models/text_config.h"

namespace lava {
namespace {

Result<void> finish(const nlohmann::json& config, TextConfig& out) {
  LAVA_TRY(out.qkv_bias, io::bool_in(config, "attention_bias", false));
  out.o_bias = out.qkv_bias;
  LAVA_TRY(out.mlp_bias, io::bool_in(config, "mlp_bias", false));
  return {};
}

}  // namespace

const TextFamily& llama_family() {
  static const TextFamily family{"llama", {"llama"}, {"LlavaLlamaForCausalLM"}, "llama", RopeStyle::adjacent, TextConfig{.family = "llama"},
                                 finish};
  return family;
}

}  // namespace lava
