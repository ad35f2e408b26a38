// Qwen 1.5, 2 and 2.5: biases on q, k and v.
#include <algorithm>

#include "engine/models/text_config.h"

namespace lava {
namespace {

Result<void> finish(const nlohmann::json& config, TextConfig& out) {
  out.qkv_bias = true;
  LAVA_TRY(const bool windowed, io::bool_in(config, "use_sliding_window", false));
  if (!windowed) return {};
  LAVA_TRY(const int64_t window, io::int_in(config, "sliding_window", 1, int64_t{1} << 30, 4096));
  if (window < out.context) out.note = "context limited to the sliding window";
  out.context = static_cast<int>(std::min<int64_t>(window, out.context));
  return {};
}

}  // namespace

const TextFamily& qwen2_family() {
  static const TextFamily family{
      "qwen2", {"qwen2"},       {"LlavaQwenForCausalLM"},
      "qwen2", RopeStyle::half, TextConfig{.family = "qwen2", .feed_forward = 22016, .vocabulary = 151936, .context = 32768},
      finish};
  return family;
}

}  // namespace lava
