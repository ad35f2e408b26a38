// LoRA (Hu et al. 2021) in PEFT's file format: delta(x) = (alpha / r) B A x, kept apart from the weights so that it can be switched.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/adapters/adapter.h"
#include "engine/core/weights.h"
#include "engine/models/text_config.h"

namespace lava {

struct LoraSettings {
  std::string name;
  int rank = 0;  // 0: as the tensors say
  double alpha = 0;
  bool rank_root = false;  // scale alpha / sqrt(r) instead of alpha / r (rsLoRA)
};

// A PEFT folder: adapter_config.json and adapter_model.safetensors. The name is the folder's.
Result<std::unique_ptr<Adapter>> load_peft_folder(const std::filesystem::path& folder, const TextConfig& config, const LayerWeights& weights);
// The tensors alone. Every matrix of the file must belong to the language model and fit it.
Result<std::unique_ptr<Adapter>> load_lora(const io::TensorSource& source, const LoraSettings& settings, const TextConfig& config,
                                           const LayerWeights& weights);

}  // namespace lava
