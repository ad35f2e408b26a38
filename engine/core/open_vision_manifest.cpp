#include <fmt/format.h>

#include "engine/connectors/object_tokens.h"
#include "engine/core/open_vision.h"
#include "engine/encoders/ssdlite_mobilenet_v2.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"

namespace lava {
namespace {

constexpr size_t max_words = 20'000;

Result<std::vector<std::string>> words(const nlohmann::json& config, const char* key) {
  const nlohmann::json* list = io::member(config, key);
  if (!list || !list->is_array() || list->empty() || list->size() > max_words)
    return fail(Error::Kind::invalid, "The configuration of the object projector is not usable", fmt::format("it has no list of {}", key));
  std::vector<std::string> result;
  for (const nlohmann::json& word : *list) {
    const std::string* text = word.get_ptr<const std::string*>();
    if (!text || text->empty()) return fail(Error::Kind::invalid, "The configuration of the object projector is not usable", fmt::format("an entry of {}", key));
    result.push_back(*text);
  }
  return result;
}

Result<ssd::Rules> proposal_rules(const nlohmann::json& config) {
  ssd::Rules rules;
  const nlohmann::json* object = io::member(config, "proposals");
  if (!object) return rules;
  LAVA_TRY(const double threshold, io::real_in(*object, "threshold", 0, 1, rules.threshold));
  LAVA_TRY(const double iou, io::real_in(*object, "iou", 0, 1, rules.iou));
  LAVA_TRY(const double area, io::real_in(*object, "min_area", 0, 1, rules.min_area));
  LAVA_TRY(const int64_t max, io::int_in(*object, "max", 1, 9, rules.max));
  LAVA_TRY(const int64_t candidates, io::int_in(*object, "candidates", 1, 100'000, rules.candidates));
  rules.threshold = static_cast<float>(threshold), rules.iou = static_cast<float>(iou), rules.min_area = static_cast<float>(area);
  rules.max = static_cast<int>(max), rules.candidates = static_cast<int>(candidates);
  return rules;
}

Result<ObjectTokensConfig> object_config(const nlohmann::json& config, const ssd::Rules& rules, int classes) {
  ObjectTokensConfig result;
  LAVA_TRY(result.nouns, words(config, "nouns"));
  LAVA_TRY(result.colours, words(config, "colours"));
  result.max_objects = rules.max;
  const nlohmann::json* names = io::member(config, "coco");
  if (!names) return fail(Error::Kind::invalid, "The configuration of the object projector is not usable", "it has no names of the classes");
  for (int id = 1; id <= classes; ++id) {
    LAVA_TRY(std::string name, io::string_in(*names, std::to_string(id), ""));
    result.classes.push_back(std::move(name));
  }
  return result;
}

}  // namespace

Result<VisionPart> open_vision_manifest(Device& device, const std::filesystem::path& folder, const nlohmann::json& vision, const VisionOptions& options) {
  LAVA_TRY(const std::string encoder, io::string_in(vision, "encoder"));
  LAVA_TRY(const std::string connector, io::string_in(vision, "connector"));
  if (encoder != "ssdlite_mobilenet_v2" || connector != "object_tokens")
    return fail(Error::Kind::unsupported, "The vision parts of this model are not known", io::printable(encoder + ", " + connector));
  if (!options.embeddings || options.embeddings->width() != options.text_width)
    return fail(Error::Kind::internal, "Object rows need the word embeddings of the language model");
  LAVA_TRY(const std::string encoder_file, io::string_in(vision, "encoder_file"));
  LAVA_TRY(const std::string connector_file, io::string_in(vision, "connector_file"));
  LAVA_TRY(const std::string config_file, io::string_in(vision, "config", "config.json"));
  LAVA_TRY(const nlohmann::json config, io::read_json(folder / config_file));
  LAVA_TRY(const ssd::Rules rules, proposal_rules(config));

  VisionPart part;
  LAVA_TRY(std::unique_ptr<io::Safetensors> tower_source, io::Safetensors::open(folder / encoder_file));
  LAVA_TRY(std::unique_ptr<io::Safetensors> connector_source, io::Safetensors::open(folder / connector_file));
  part.weights = std::make_unique<Weights>(device);
  LAVA_TRY(part.encoder, SsdliteMobilenetV2::load(*part.weights, *tower_source, rules));
  const EncoderInfo info = part.encoder->info();
  LAVA_TRY(const ObjectTokensConfig objects, object_config(config, rules, info.object_classes));
  LAVA_TRY(part.connector, ObjectTokens::load(*part.weights, *connector_source, objects, info, *options.embeddings));
  LAVA_TRY(part.partitioner, make_partitioner(detector_views()));
  part.name = fmt::format("ssdlite-mobilenet-v2, {} px, object rows", info.image_size);
  part.cache_id = fmt::format("{}|{}", part.name, connector_source->describe());
  part.largest = {{info.image_size, info.image_size}};
  part.sources.push_back(std::move(tower_source));
  part.sources.push_back(std::move(connector_source));
  return part;
}

}  // namespace lava
