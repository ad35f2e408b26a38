// What the tensors of a vision transformer are called in the layouts that exist.
#pragma once
#include <optional>
#include <string>

#include "engine/io/tensor_source.h"

namespace lava {

// Without ".weight" and ".bias".
struct VitLayerNames {
  std::string norm1, q, k, v, out, norm2, fc1, fc2;
  std::string qkv;  // q, k and v in one tensor where the layout knows that, else empty
};

class VitNames {
 public:
  // nullopt: the source holds no tower in any Hugging Face layout or the original one.
  static std::optional<VitNames> find_hugging_face(const io::TensorSource& source);
  // mmproj files; the first matrix of the MLP is called ffn_down in old ones, which its shape tells.
  static VitNames gguf(const io::TensorSource& source, int width);

  std::string patch, class_row, positions, pre_norm;  // patch and pre_norm without ".weight" and ".bias"
  VitLayerNames layer(int index) const;
  int stored_layers(const io::TensorSource& source) const;  // blocks 0 .. n - 1 that the source has

 private:
  std::string prefix_;
  bool gguf_ = false, swapped_ = false;
};

}  // namespace lava
