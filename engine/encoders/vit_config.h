// Shape and habits of a vision transformer, read from a configuration file and checked before anything is allocated.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/gguf.h"
#include "kernels/activation/activate.h"
#include "kernels/result.h"

namespace lava {

struct VitConfig {
  std::string kind;         // "clip" or "siglip"
  int width = 0, mlp = 0;   // channels of a row, inner channels of a block's MLP
  int layers = 0, heads = 0;
  int image = 0, patch = 0;  // pixels; the rest of image / patch is cut
  float eps = 1e-5f;
  Activation activation = Activation::gelu_quick;
  bool class_row = false;    // a learned row before the patches
  bool pre_norm = false;     // a norm before the first block
  bool patch_bias = false;
  std::vector<int> outputs;  // hidden states that make the features, side by side; 0 is the input of the first block
  bool drop_first = false;   // leave out row 0 of the features

  int grid() const { return image / patch; }
  int rows() const { return grid() * grid() + (class_row ? 1 : 0); }
  int kept_rows() const { return rows() - (drop_first ? 1 : 0); }
  int last_output() const;  // the deepest hidden state of `outputs`
};

// Everything inside its ceiling, heads divide width, outputs exist.
Result<void> check_vit(const VitConfig& config);

// `vision_config` with the class defaults, and which hidden states `model` (the outer configuration) wants.
Result<VitConfig> vit_from_hugging_face(const nlohmann::json& model);
// Towers of the original layout are named, not described: "openai/clip-vit-large-patch14-336".
Result<VitConfig> vit_from_name(const nlohmann::json& model, std::string_view tower);
// clip.vision.* of a projector file.
Result<VitConfig> vit_from_gguf(const io::Gguf& file);

}  // namespace lava
