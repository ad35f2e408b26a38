#include <fmt/format.h>

#include "engine/core/object_config.h"
#include "engine/core/open_vision.h"
#include "engine/encoders/detector_regions.h"
#include "engine/io/json_file.h"
#include "engine/io/names.h"
#include "engine/io/safetensors.h"

namespace lava {
namespace {

struct Manifest {
  Device& device;
  const std::filesystem::path& folder;
  const nlohmann::json& vision;
  const VisionOptions& options;
  nlohmann::json config;
};

// The weight file that `key` names; the part keeps it.
Result<const io::Safetensors*> open_weights(const Manifest& manifest, const char* key, VisionPart& part) {
  LAVA_TRY(const std::string name, io::string_in(manifest.vision, key));
  LAVA_TRY(std::unique_ptr<io::Safetensors> source, io::Safetensors::open(manifest.folder / name));
  const io::Safetensors* opened = source.get();
  part.sources.push_back(std::move(source));
  return opened;
}

Result<void> open_regions(const Manifest& manifest, VisionPart& part) {
  LAVA_TRY(const ssd::Rules rules, read_proposal_rules(manifest.config));
  LAVA_TRY(const io::Safetensors* detector, open_weights(manifest, "encoder_file", part));
  LAVA_TRY(const io::Safetensors* proposals, open_weights(manifest, "proposals_file", part));
  LAVA_TRY(const io::Safetensors* classifier, open_weights(manifest, "classifier_file", part));
  LAVA_TRY(const io::Safetensors* connector, open_weights(manifest, "connector_file", part));
  LAVA_TRY(part.encoder, DetectorRegions::load(*part.weights, {*detector, *proposals, *classifier}, rules));
  LAVA_TRY(const ObjectWordsConfig objects, read_object_words(manifest.config));
  LAVA_TRY(part.connector, ObjectWords::load(*part.weights, *connector, objects, part.encoder->info(), *manifest.options.embeddings));
  part.name = fmt::format("ssdlite-mobilenet-v2, {} px, efficientnet-lite0, {} px, objects in words", part.encoder->info().image_size, EfficientnetLite::side);
  part.cache_id = fmt::format("{}|{}|{}", part.name, proposals->describe(), connector->describe());
  return {};
}

}  // namespace

Result<VisionPart> open_vision_manifest(Device& device, const std::filesystem::path& folder, const nlohmann::json& vision, const VisionOptions& options) {
  LAVA_TRY(const std::string encoder, io::string_in(vision, "encoder"));
  LAVA_TRY(const std::string connector, io::string_in(vision, "connector"));
  if (encoder != "detector_regions" || connector != "object_words")
    return fail(Error::Kind::unsupported, "The vision parts of this model are not known", io::printable(encoder + ", " + connector));
  if (!options.embeddings || options.embeddings->width() != options.text_width)
    return fail(Error::Kind::internal, "Object rows need the word embeddings of the language model");
  LAVA_TRY(const std::string config_file, io::string_in(vision, "config", "config.json"));
  LAVA_TRY(nlohmann::json config, io::read_json(folder / config_file));

  VisionPart part;
  part.weights = std::make_unique<Weights>(device);
  LAVA_CHECK_OK(open_regions({device, folder, vision, options, std::move(config)}, part));
  LAVA_TRY(part.partitioner, make_partitioner(detector_views()));
  const int side = part.encoder->info().image_size;
  part.largest = {{side, side}};
  return part;
}

}  // namespace lava
