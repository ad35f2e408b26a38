// SigLIP (Zhai et al. 2023): patches with bias, no class row, no norm before the blocks, tanh GELU.
#include "engine/encoders/towers.h"

namespace lava {
namespace {

VitConfig siglip_shape(int width, int mlp, int layers, int heads, int image, int patch) {
  VitConfig config;
  config.kind = "siglip";
  config.width = width, config.mlp = mlp, config.layers = layers, config.heads = heads;
  config.image = image, config.patch = patch;
  config.eps = 1e-6f;
  config.activation = Activation::gelu_tanh;
  config.patch_bias = true;
  return config;
}

}  // namespace

// SiglipVisionConfig of transformers.
VitConfig siglip_defaults() { return siglip_shape(768, 3072, 12, 12, 224, 16); }

// LLaVA takes the last of 26 blocks, without the norm after it; files with the original 27th block leave it unused.
std::optional<VitConfig> siglip_named(std::string_view checkpoint) {
  if (!checkpoint.ends_with("siglip-so400m-patch14-384")) return std::nullopt;
  VitConfig config = siglip_shape(1152, 4304, 26, 16, 384, 14);
  config.outputs = {26};
  return config;
}

}  // namespace lava
