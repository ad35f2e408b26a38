// config.json of Hugging Face and of the original LLaVA layout.
#include <fmt/format.h>

#include <algorithm>

#include "engine/io/names.h"
#include "engine/models/config_checks.h"
#include "engine/models/text_config.h"

namespace lava {
namespace {

using nlohmann::json;

bool contains(const std::vector<std::string_view>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

const TextFamily* family_of_type(std::string_view type) {
  for (const TextFamily& family : text_families())
    if (contains(family.hf_types, type)) return &family;
  return nullptr;
}

std::string first_architecture(const json& config) {
  const json* list = io::member(config, "architectures");
  return list && list->is_array() && !list->empty() && (*list)[0].is_string() ? (*list)[0].get<std::string>() : std::string();
}

struct Place {
  const TextFamily* family = nullptr;
  const json* object = nullptr;  // where the text keys stand
};

Result<Place> place_of(std::string_view type, const json& object) {
  if (const TextFamily* family = family_of_type(type)) return Place{family, &object};
  return unknown_model(type);
}

// Wrapper, original layout or plain text model.
Result<Place> find_text_part(const json& config) {
  LAVA_TRY(const std::string type, io::string_in(config, "model_type", std::string()));
  const std::string architecture = first_architecture(config);
  for (const TextFamily& family : text_families())
    if (contains(family.original_classes, architecture)) return Place{&family, &config};
  if (type == "llava" || type == "llava_next" || type == "llava_onevision" || type == "llava_next_video") {
    const json* text = io::member(config, "text_config");
    if (!text)
      return fail(Error::Kind::invalid, "The model's configuration is incomplete", "config.json has no text_config",
                  "Download config.json again");
    LAVA_TRY(const std::string inner, io::string_in(*text, "model_type", std::string(type == "llava_onevision" ? "qwen2" : "llama")));
    return place_of(inner, *text);
  }
  if (type == "llava_llama") return Place{&llama_family(), &config};
  if (type == "llava_mistral") return Place{&mistral_family(), &config};
  if (type == "llava_qwen") return Place{&qwen2_family(), &config};
  return place_of(type.empty() ? architecture : type, config);
}

Result<void> read_scaling(const json& object, TextConfig& config) {
  LAVA_TRY(const std::string older, io::string_in(object, "type", std::string("default")));
  LAVA_TRY(const std::string type, io::string_in(object, "rope_type", older));
  if (type == "default" || type == "none") return {};
  RopeScaling& scaling = config.scaling;
  if (type != "linear" && type != "llama3") return unsupported_rope(type);
  scaling.kind = type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  LAVA_TRY(scaling.factor, io::real_in(object, "factor", 1, 1e6));
  if (scaling.kind == RopeScaling::Kind::linear) return {};
  LAVA_TRY(scaling.low_factor, io::real_in(object, "low_freq_factor", 1e-6, 1e6));
  LAVA_TRY(scaling.high_factor, io::real_in(object, "high_freq_factor", 1e-6, 1e6));
  LAVA_TRY(const int64_t original, io::int_in(object, "original_max_position_embeddings", 1, int64_t{1} << 30));
  scaling.original_context = static_cast<double>(original);
  if (scaling.high_factor <= scaling.low_factor) return contradiction("high_freq_factor is not above low_freq_factor");
  return {};
}

// Two dialects: rope_parameters{rope_theta, rope_type, ...}, or rope_theta beside rope_scaling{type, ...}.
Result<void> read_rope(const json& text, TextConfig& config) {
  LAVA_TRY(config.rope_base, io::real_in(text, "rope_theta", 1, 1e15, config.rope_base));
  const json* parameters = io::member(text, "rope_parameters");
  const json* object = parameters ? parameters : io::member(text, "rope_scaling");
  if (!object) return {};
  if (!object->is_object())
    return fail(Error::Kind::invalid, "The model's configuration is damaged",
                parameters ? "rope_parameters is not an object" : "rope_scaling is not an object");
  if (parameters) {
    LAVA_TRY(config.rope_base, io::real_in(*object, "rope_theta", 1, 1e15, config.rope_base));
    LAVA_TRY(const double part, io::real_in(*object, "partial_rotary_factor", 0, 1, 1.0));
    if (part != 1) return unsupported_rope("partial_rotary_factor below 1");
  }
  return read_scaling(*object, config);
}

Result<void> read_number(const json& object, std::string_view key, int64_t most, int& value) {
  LAVA_TRY(const int64_t read, io::int_in(object, key, 1, most, value));
  value = static_cast<int>(read);
  return {};
}

Result<void> read_sizes(const json& text, TextConfig& config) {
  const bool keys_follow_heads = config.heads == config.kv_heads;
  LAVA_CHECK_OK(read_number(text, "hidden_size", 1 << 17, config.width));
  LAVA_CHECK_OK(read_number(text, "num_hidden_layers", 1024, config.layers));
  LAVA_CHECK_OK(read_number(text, "num_attention_heads", 4096, config.heads));
  if (keys_follow_heads) config.kv_heads = config.heads;
  LAVA_CHECK_OK(read_number(text, "num_key_value_heads", 4096, config.kv_heads));
  LAVA_CHECK_OK(read_number(text, "intermediate_size", 1 << 20, config.feed_forward));
  LAVA_CHECK_OK(read_number(text, "vocab_size", 4'000'000, config.vocabulary));
  LAVA_CHECK_OK(read_number(text, "max_position_embeddings", 1 << 28, config.context));
  std::optional<int64_t> head_dim;
  if (io::member(text, "head_dim")) {
    LAVA_TRY(head_dim, io::int_in(text, "head_dim", 2, 4096));
  }
  return set_head_dim(config, head_dim);
}

}  // namespace

Result<TextConfig> read_hf_text_config(const json& config) {
  if (!config.is_object())
    return fail(Error::Kind::invalid, "The model's configuration is damaged", "config.json is not an object", "Download it again");
  LAVA_TRY(const Place place, find_text_part(config));
  const json& text = *place.object;
  if (!text.is_object())
    return fail(Error::Kind::invalid, "The model's configuration is damaged", "text_config is not an object", "Download it again");
  TextConfig out = place.family->defaults;
  LAVA_CHECK_OK(read_sizes(text, out));
  LAVA_TRY(const double eps, io::real_in(text, "rms_norm_eps", 1e-12, 1, out.eps));
  out.eps = static_cast<float>(eps);
  LAVA_TRY(const std::string activation, io::string_in(text, "hidden_act", std::string("silu")));
  if (activation != "silu")
    return fail(Error::Kind::unsupported, "The model's activation is not supported", io::printable(activation), "Supported is silu");
  LAVA_CHECK_OK(read_rope(text, out));
  LAVA_CHECK_OK(place.family->finish_hf(text, out));
  return out;
}

}  // namespace lava
