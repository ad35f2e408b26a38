// CLIP (Radford et al. 2021): class row first, a norm before the blocks, quick GELU, no bias on the patches.
#include "engine/encoders/towers.h"

namespace lava {
namespace {

VitConfig clip_shape(int width, int mlp, int layers, int heads, int image, int patch) {
  VitConfig config;
  config.kind = "clip";
  config.width = width, config.mlp = mlp, config.layers = layers, config.heads = heads;
  config.image = image, config.patch = patch;
  config.eps = 1e-5f;
  config.activation = Activation::gelu_quick;
  config.class_row = config.pre_norm = true;
  return config;
}

}  // namespace

// CLIPVisionConfig of transformers.
VitConfig clip_defaults() { return clip_shape(768, 3072, 12, 12, 224, 32); }

std::optional<VitConfig> clip_named(std::string_view checkpoint) {
  if (checkpoint.ends_with("clip-vit-large-patch14-336")) return clip_shape(1024, 4096, 24, 16, 336, 14);
  if (checkpoint.ends_with("clip-vit-large-patch14")) return clip_shape(1024, 4096, 24, 16, 224, 14);
  if (checkpoint.ends_with("clip-vit-base-patch16")) return clip_shape(768, 3072, 12, 12, 224, 16);
  if (checkpoint.ends_with("clip-vit-base-patch32")) return clip_shape(768, 3072, 12, 12, 224, 32);
  return std::nullopt;
}

}  // namespace lava
