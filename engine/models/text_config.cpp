#include "engine/models/text_config.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "engine/io/names.h"
#include "engine/models/config_checks.h"

namespace lava {
namespace {

float divisor(const TextConfig& config, int pair, double frequency) {
  if (!config.rope_divisors.empty()) return config.rope_divisors[static_cast<size_t>(pair)];
  const RopeScaling& scaling = config.scaling;
  if (scaling.kind == RopeScaling::Kind::none) return 1;
  if (scaling.kind == RopeScaling::Kind::linear) return static_cast<float>(scaling.factor);
  const double turns = scaling.original_context * frequency / (2 * std::numbers::pi);  // of this pair over the original context
  if (turns < scaling.low_factor) return static_cast<float>(scaling.factor);
  if (turns > scaling.high_factor) return 1;
  const double smooth = (turns - scaling.low_factor) / (scaling.high_factor - scaling.low_factor);
  return static_cast<float>(1 / ((1 - smooth) / scaling.factor + smooth));
}

}  // namespace

const std::vector<TextFamily>& text_families() {
  static const std::vector<TextFamily> families{llama_family(), mistral_family(), qwen2_family()};
  return families;
}

tl::unexpected<Error> unknown_model(std::string_view type) {
  return fail(Error::Kind::unsupported, "This kind of model is not supported",
              type.empty() ? "its configuration does not name a type" : io::printable(type),
              "Supported language models: LLaMA, Mistral and Qwen2 (1.5, 2, 2.5), alone or inside LLaVA, LLaVA-NeXT and LLaVA-OneVision");
}

tl::unexpected<Error> unsupported_rope(std::string_view type) {
  return fail(Error::Kind::unsupported, "The model stretches its context in a way that is not supported",
              "rope type " + io::printable(type), "Supported are the plain form, linear and llama3");
}

tl::unexpected<Error> contradiction(std::string cause) {
  return fail(Error::Kind::invalid, "The model's configuration contradicts itself", std::move(cause),
              "Download the model's configuration again");
}

Result<void> set_head_dim(TextConfig& config, std::optional<int64_t> stated) {
  if (!stated && config.width % config.heads != 0)
    return contradiction(fmt::format("a width of {} cannot be split into {} heads", config.width, config.heads));
  config.head_dim = static_cast<int>(stated.value_or(config.width / config.heads));
  if (config.kv_heads > config.heads || config.heads % config.kv_heads != 0)
    return contradiction(fmt::format("{} heads cannot share {} key heads", config.heads, config.kv_heads));
  if (config.head_dim % 2 != 0) return contradiction(fmt::format("a head has an odd number of values, {}", config.head_dim));
  if (int64_t{config.heads} * config.head_dim > (1 << 20))
    return fail(Error::Kind::too_large, "The model is too large", fmt::format("{} heads of {} values", config.heads, config.head_dim));
  return {};
}

// In float32 like the reference implementation: the angle of a far position carries the rounding of its frequency.
void fill_rope_table(const TextConfig& config, int positions, float* out) {
  const int half = config.head_dim / 2;
  for (int i = 0; i < half; ++i) {
    const float frequency = 1.0f / static_cast<float>(std::pow(config.rope_base, 2.0 * i / config.head_dim));
    const float scaled = frequency / divisor(config, i, frequency);
    for (int position = 0; position < positions; ++position) {
      const double angle = static_cast<float>(position) * scaled;
      float* row = out + static_cast<int64_t>(position) * config.head_dim;
      row[i] = static_cast<float>(std::cos(angle));
      row[half + i] = static_cast<float>(std::sin(angle));
    }
  }
}

}  // namespace lava
