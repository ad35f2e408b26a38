#include "engine/encoders/vit_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/encoders/towers.h"
#include "engine/encoders/vit_names.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"

namespace lava {
namespace {

// Far above every published tower; a hostile file stops here and not at the allocation.
constexpr int max_width = 16384, max_mlp = 65536, max_layers = 256, max_heads = 512, max_image = 8192, max_patch = 512, max_rows = 16384;
constexpr int max_outputs = 16;

tl::unexpected<Error> bad(std::string cause) {
  return fail(Error::Kind::invalid, "The configuration of the vision tower is not usable", std::move(cause), "Download the model again");
}

Result<Activation> activation_named(const std::string& name) {
  if (name == "quick_gelu") return Activation::gelu_quick;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh" || name == "gelu_new" || name == "gelu_fast") return Activation::gelu_tanh;
  if (name == "silu" || name == "swish") return Activation::silu;
  if (name == "relu") return Activation::relu;
  return fail(Error::Kind::unsupported, "The vision tower uses an activation that is not supported", io::printable(name));
}

// A number or a list; negative ones count from the end of the layers + 1 hidden states.
Result<std::vector<int>> hidden_states(const nlohmann::json& model, const char* key, int fallback, int layers) {
  std::vector<int64_t> asked = {fallback};
  if (const nlohmann::json* value = io::member(model, key)) {
    if (value->is_array()) {
      LAVA_TRY(const std::vector<double> list, io::reals_in(model, key, 1, max_outputs));
      asked.clear();
      for (const double k : list) {
        if (!(k >= -max_layers && k <= max_layers) || k != std::floor(k)) return bad(fmt::format("{} has the entry {}", key, k));
        asked.push_back(static_cast<int64_t>(k));
      }
    } else {
      LAVA_TRY(asked[0], io::int_in(model, key, -max_layers, max_layers));
    }
  }
  std::vector<int> outputs;
  for (const int64_t k : asked) {
    const int64_t index = k < 0 ? layers + 1 + k : k;
    if (index < 0 || index > layers) return bad(fmt::format("{} asks for hidden state {} of a tower with {} layers", key, k, layers));
    outputs.push_back(static_cast<int>(index));
  }
  return outputs;
}

Result<void> read_sizes(const nlohmann::json& vision, VitConfig& c) {
  const auto read = [&](const char* key, int ceiling, int& value) -> Result<void> {
    LAVA_TRY(const int64_t number, io::int_in(vision, key, 1, ceiling, value));
    value = static_cast<int>(number);
    return {};
  };
  LAVA_CHECK_OK(read("hidden_size", max_width, c.width));
  LAVA_CHECK_OK(read("intermediate_size", max_mlp, c.mlp));
  LAVA_CHECK_OK(read("num_hidden_layers", max_layers, c.layers));
  LAVA_CHECK_OK(read("num_attention_heads", max_heads, c.heads));
  LAVA_CHECK_OK(read("image_size", max_image, c.image));
  LAVA_CHECK_OK(read("patch_size", max_patch, c.patch));
  int channels = 3;
  LAVA_CHECK_OK(read("num_channels", 16, channels));
  if (channels != 3) return bad(fmt::format("the tower reads {} colour channels, only 3 are supported", channels));
  LAVA_TRY(const double eps, io::real_in(vision, "layer_norm_eps", 0, 1, c.eps));
  c.eps = static_cast<float>(eps);
  return {};
}

}  // namespace

int VitConfig::last_output() const { return outputs.empty() ? layers : *std::max_element(outputs.begin(), outputs.end()); }

Result<void> check_vit(const VitConfig& c) {
  const auto inside = [](int value, int ceiling) { return value >= 1 && value <= ceiling; };
  if (!inside(c.width, max_width) || !inside(c.mlp, max_mlp) || !inside(c.layers, max_layers) || !inside(c.heads, max_heads))
    return bad(fmt::format("{} layers of width {} with {} heads and MLP {}", c.layers, c.width, c.heads, c.mlp));
  if (!inside(c.image, max_image) || !inside(c.patch, max_patch) || c.patch > c.image)
    return bad(fmt::format("patches of {} pixels in pictures of {}", c.patch, c.image));
  if (c.width % c.heads != 0) return bad(fmt::format("the width {} is not a multiple of {} heads", c.width, c.heads));
  if (c.grid() > max_rows || c.rows() > max_rows) return bad(fmt::format("{} x {} patches per view are too many", c.grid(), c.grid()));
  if (c.kept_rows() < 1) return bad("no row of the tower is kept");
  if (!(c.eps > 0 && c.eps < 1)) return bad("layer_norm_eps is outside 0 .. 1");
  if (c.outputs.empty() || c.outputs.size() > max_outputs) return bad("the layers that make the features");
  for (const int index : c.outputs)
    if (index < 0 || index > c.layers) return bad(fmt::format("hidden state {} of {} layers", index, c.layers));
  return {};
}

Result<VitConfig> vit_from_hugging_face(const nlohmann::json& model) {
  const nlohmann::json* vision = io::member(model, "vision_config");
  LAVA_TRY(const std::string family, io::string_in(model, "model_type", "llava"));
  const bool onevision = family == "llava_onevision";
  VitConfig config;
  if (vision && !vision->is_object()) return bad("vision_config is no object");
  if (!vision) {
    LAVA_TRY(config, vit_from_name(model, onevision ? "google/siglip-so400m-patch14-384" : "openai/clip-vit-large-patch14-336"));
  } else {
    LAVA_TRY(const std::string type, io::string_in(*vision, "model_type", onevision ? "siglip_vision_model" : "clip_vision_model"));
    const TowerKind* kind = find_tower(type);
    if (!kind)
      return fail(Error::Kind::unsupported, "The vision tower of this model is not supported", fmt::format("it is a {}", io::printable(type)),
                  "Supported are CLIP and SigLIP towers");
    config = kind->class_defaults();
    LAVA_CHECK_OK(read_sizes(*vision, config));
    if (io::member(*vision, "hidden_act")) {
      LAVA_TRY(const std::string activation, io::string_in(*vision, "hidden_act"));
      LAVA_TRY(config.activation, activation_named(activation));
    }
  }
  LAVA_TRY(config.outputs, hidden_states(model, "vision_feature_layer", onevision ? -1 : -2, config.layers));
  LAVA_TRY(const std::string strategy, io::string_in(model, "vision_feature_select_strategy", onevision ? "full" : "default"));
  if (strategy != "default" && strategy != "full") return bad(fmt::format("vision_feature_select_strategy is {}", io::printable(strategy)));
  config.drop_first = strategy == "default";
  LAVA_CHECK_OK(check_vit(config));
  return config;
}

Result<VitConfig> vit_from_name(const nlohmann::json& model, std::string_view tower) {
  for (const TowerKind& kind : towers()) {
    std::optional<VitConfig> config = kind.named ? kind.named(tower) : std::nullopt;
    if (!config) continue;
    if (config->outputs.empty()) {
      LAVA_TRY(config->outputs, hidden_states(model, "mm_vision_select_layer", -2, config->layers));
      LAVA_TRY(const std::string feature, io::string_in(model, "mm_vision_select_feature", "patch"));
      if (feature != "patch" && feature != "cls_patch") return bad(fmt::format("mm_vision_select_feature is {}", io::printable(feature)));
      config->drop_first = config->class_row && feature == "patch";
    }
    LAVA_CHECK_OK(check_vit(*config));
    return *config;
  }
  return fail(Error::Kind::unsupported, "The vision tower of this model is not supported", io::printable(tower),
              "Supported are openai/clip-vit-* and google/siglip-so400m-patch14-384");
}

namespace {

Result<Activation> gguf_activation(const io::Gguf& file) {
  const bool gelu = file.boolean("clip.use_gelu").value_or(false), silu = file.boolean("clip.use_silu").value_or(false);
  if (gelu && silu) return bad("both clip.use_gelu and clip.use_silu are set");
  return gelu ? Activation::gelu_tanh : silu ? Activation::silu : Activation::gelu_quick;
}

Result<void> check_projector_file(const io::Gguf& file) {
  if (file.architecture() != "clip")
    return fail(Error::Kind::invalid, "This file is no vision projector", fmt::format("{} holds a {} model", file.describe(), io::printable(file.architecture())),
                "Choose the mmproj file that belongs to the model");
  if (!file.boolean("clip.has_vision_encoder").value_or(true)) return bad("clip.has_vision_encoder is false");
  std::string_view type = file.string("clip.projector_type").value_or("");
  if (type.empty()) type = file.string("clip.vision.projector_type").value_or("mlp");
  if (type != "mlp")
    return fail(Error::Kind::unsupported, "The projector of this file is of a kind that is not supported", io::printable(type), "Supported is mlp (LLaVA)");
  return {};
}

// LLaVA reads the last hidden state but one of CLIP and the 26th block of SigLIP-so400m; converters normally leave the unused block out.
int last_read_block(const VitConfig& config) {
  if (config.class_row && config.layers == 24 && config.width == 1024) return 23;
  if (!config.class_row && config.layers == 27 && config.width == 1152) return 26;
  return config.layers;
}

}  // namespace

Result<VitConfig> vit_from_gguf(const io::Gguf& file) {
  LAVA_CHECK_OK(check_projector_file(file));
  VitConfig c;
  const auto read = [&](const char* key, int ceiling, int& value) -> Result<void> {
    LAVA_TRY(const int64_t number, file.int_in(key, 1, ceiling));
    value = static_cast<int>(number);
    return {};
  };
  LAVA_CHECK_OK(read("clip.vision.embedding_length", max_width, c.width));
  LAVA_CHECK_OK(read("clip.vision.feed_forward_length", max_mlp, c.mlp));
  LAVA_CHECK_OK(read("clip.vision.attention.head_count", max_heads, c.heads));
  LAVA_CHECK_OK(read("clip.vision.image_size", max_image, c.image));
  LAVA_CHECK_OK(read("clip.vision.patch_size", max_patch, c.patch));
  const VitNames names = VitNames::gguf(file, c.width);
  c.class_row = file.find(names.class_row) != nullptr;
  c.patch_bias = file.find(names.patch + ".bias") != nullptr;
  c.pre_norm = file.find(names.pre_norm + ".weight") != nullptr;
  c.kind = c.class_row ? "clip" : "siglip";
  c.drop_first = c.class_row;
  LAVA_TRY(const double eps, file.real_in("clip.vision.attention.layer_norm_epsilon", 0, 1, c.class_row ? 1e-5 : 1e-6));
  c.eps = static_cast<float>(eps);
  LAVA_TRY(c.activation, gguf_activation(file));
  // block_count disagrees between converters; what is stored is what there is.
  c.layers = std::min(names.stored_layers(file), max_layers + 1);
  c.outputs = {last_read_block(c)};
  if (const auto layers = file.int_array("clip.vision.feature_layer"); layers && !layers->empty()) {
    if (layers->size() > max_outputs) return bad("clip.vision.feature_layer is too long");
    c.outputs.clear();
    for (const int64_t index : *layers) c.outputs.push_back(static_cast<int>(std::clamp<int64_t>(index, -1, max_layers + 1)));
  }
  LAVA_CHECK_OK(check_vit(c));
  return c;
}

}  // namespace lava
