// Mistral 7B: LLaMA with grouped keys, and in its first version a sliding window.
#include <algorithm>

#include "engine/models/text_config.h"

namespace lava {
namespace {

// Within the window plain causal attention is exact, so a windowed model is read as one with a shorter context.
Result<void> finish(const nlohmann::json& config, TextConfig& out) {
  if (config.contains("sliding_window") && config["sliding_window"].is_null()) return {};
  LAVA_TRY(const int64_t window, io::int_in(config, "sliding_window", 1, int64_t{1} << 30, 4096));
  if (window < out.context) out.note = "context limited to the sliding window";
  out.context = static_cast<int>(std::min<int64_t>(window, out.context));
  return {};
}

}  // namespace

const TextFamily& mistral_family() {
  static const TextFamily family{
      "mistral", {"mistral"},         {"LlavaMistralForCausalLM"},
      "",        RopeStyle::adjacent, TextConfig{.family = "mistral", .kv_heads = 8, .feed_forward = 14336, .context = 131072},
      finish};
  return family;
}

}  // namespace lava
