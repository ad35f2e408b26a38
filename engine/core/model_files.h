// Which files make up the model that a user named.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/core/assistant.h"

namespace lava {

struct ManifestAdapter {
  std::filesystem::path path;  // PEFT folder, or a safetensors file
  std::string name;
  int rank = 0;  // of a lone file; 0: as its tensors say
  double alpha = 0;
  bool when_picture = false;  // on only when the prompt holds a picture
};

struct ModelFiles {
  std::string name;            // for people
  std::filesystem::path text;  // GGUF file, or Hugging Face folder
  bool gguf = false;
  std::filesystem::path mmproj;  // empty: none
  std::string mmproj_note;       // why a projector file beside the model was not taken
  // Of a folder with model.json:
  std::filesystem::path folder;
  nlohmann::json vision;  // null: none
  std::vector<ManifestAdapter> adapters;
  std::string chat, grounding;  // empty: find out
  bool exact = false;           // the model demands float32
};

// "default", or a folder with model.json: what is told by find_model_files only.
bool has_manifest(const std::string& model);

Result<ModelFiles> find_model_files(const AssistantOptions& options);

}  // namespace lava
