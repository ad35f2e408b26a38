#include "engine/encoders/vit_names.h"

#include <fmt/format.h>

namespace lava {

std::optional<VitNames> VitNames::find_hugging_face(const io::TensorSource& source) {
  // Published files, files of transformers 5, in-memory names of newer versions, the original layout, a CLIP or SigLIP model of its own.
  static constexpr const char* prefixes[] = {
      "vision_tower.vision_model.",  "vision_tower.", "model.vision_tower.vision_model.", "model.vision_tower.",
      "model.vision_tower.vision_tower.vision_model.", "model.vision_tower.vision_tower.", "vision_model.", ""};
  for (const std::string prefix : prefixes) {
    if (!source.find(prefix + "embeddings.patch_embedding.weight")) continue;
    VitNames names;
    names.prefix_ = prefix;
    names.patch = prefix + "embeddings.patch_embedding";
    names.class_row = prefix + "embeddings.class_embedding";
    names.positions = prefix + "embeddings.position_embedding.weight";
    names.pre_norm = prefix + "pre_layrnorm";
    return names;
  }
  return std::nullopt;
}

VitNames VitNames::gguf(const io::TensorSource& source, int width) {
  VitNames names;
  names.gguf_ = true;
  names.patch = "v.patch_embd";
  names.class_row = "v.class_embd";
  names.positions = "v.position_embd.weight";
  names.pre_norm = "v.pre_ln";
  const io::TensorEntry* down = source.find("v.blk.0.ffn_down.weight");
  names.swapped_ = down && down->shape.size() == 2 && down->shape[1] == width && down->shape[0] != width;
  return names;
}

VitLayerNames VitNames::layer(int index) const {
  if (gguf_) {
    const std::string p = fmt::format("v.blk.{}.", index);
    const std::string up = p + "ffn_up", down = p + "ffn_down";
    return {p + "ln1", p + "attn_q", p + "attn_k", p + "attn_v", p + "attn_out", p + "ln2", swapped_ ? down : up, swapped_ ? up : down, p + "attn_qkv"};
  }
  const std::string p = fmt::format("{}encoder.layers.{}.", prefix_, index), a = p + "self_attn.";
  return {p + "layer_norm1", a + "q_proj", a + "k_proj", a + "v_proj", a + "out_proj", p + "layer_norm2", p + "mlp.fc1", p + "mlp.fc2", ""};
}

int VitNames::stored_layers(const io::TensorSource& source) const {
  int count = 0;
  while (source.find(layer(count).norm1 + ".weight")) ++count;
  return count;
}

}  // namespace lava
