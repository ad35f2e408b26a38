// EfficientNet-Lite0 (Tan and Le 2019; ImageNet): what a crop shows, as an embedding and as probabilities of the 1000 classes. Batch norms
// are folded into the weights.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/encoders/convolutions.h"

namespace lava {

class EfficientnetLite {
 public:
  static constexpr int side = 224, width = 1280, classes = 1000;

  static Result<std::unique_ptr<EfficientnetLite>> load(Weights& weights, const io::TensorSource& source);

  // crops f32 [n, side, side, 3], (RGB - 127) / 128 -> embeddings f32 [n, 1280].
  Result<void> embed(Run& run, const Tensor& embeddings, const Tensor& crops) const;
  // embeddings -> probabilities f32 [n, 1000].
  void classify(Run& run, const Tensor& probabilities, const Tensor& embeddings) const;

 private:
  struct Block {  // no expand in the first
    conv::Pointwise expand, project;
    conv::Window depthwise;
    bool residual = false;
  };

  EfficientnetLite() = default;
  static Result<Block> load_block(Weights& weights, const io::TensorSource& source, const std::string& name, int in, int out, int expansion, int side,
                                  int stride);
  Tensor after(Run& run, const Block& block, const Tensor& x) const;
  static void apply(Run& run, const Block& block, const Tensor& x, const Tensor& out);

  conv::Window stem_;
  std::vector<Block> blocks_;
  conv::Pointwise head_;
  Matrix classifier_;
  Tensor classifier_bias_;
};

}  // namespace lava
