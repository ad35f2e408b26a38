// Finds and loads the vision half of a model, in whatever form its files have.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/connectors/text_embeddings.h"
#include "engine/core/assistant.h"
#include "engine/core/vision_part.h"
#include "engine/core/weight_pack_store.h"

namespace lava {

struct VisionOptions {
  int text_width = 0;                          // of the language model's rows
  Precision precision = Precision::exact;
  bool quantize = false;                       // unquantised weights of a tower to 8 bits; with Precision::fast
  const TextEmbeddings* embeddings = nullptr;  // for connectors that speak the model's words; only used while loading
  const WeightPackStore* packs = nullptr;      // where packed weights of a projector file may be; nullptr: nowhere
};

VisionOptions vision_options(int text_width, VisionPrecision precision, const TextEmbeddings* embeddings = nullptr);

// Whether config.json describes a model that sees.
bool has_vision(const nlohmann::json& config);
// A Hugging Face folder in any of its tensor layouts, or one in the original layout of LLaVA.
Result<VisionPart> open_vision_folder(Device& device, const std::filesystem::path& folder, const VisionOptions& options);
// A projector file (mmproj) beside a GGUF model.
Result<VisionPart> open_vision_gguf(Device& device, const std::filesystem::path& file, const VisionOptions& options);
// The "vision" object of model.json; file names in it are relative to `folder`.
Result<VisionPart> open_vision_manifest(Device& device, const std::filesystem::path& folder, const nlohmann::json& vision, const VisionOptions& options);

}  // namespace lava
