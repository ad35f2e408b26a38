// The projector of LLaVA: one to four linear layers with GELU between them, then packing with the newline vector.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/connectors/connector.h"
#include "engine/core/weights.h"
#include "engine/partition/unpad.h"
#include "kernels/activation/activate.h"

namespace lava {

// Where the layers are; names without ".weight" and ".bias" (biases are optional).
struct MlpLayout {
  std::vector<std::string> layers;  // none: identity
  std::string newline;              // empty: there is none
  Activation activation = Activation::gelu;

  // The projector of a Hugging Face or original folder, of a projector file; an error when there is none.
  static Result<MlpLayout> find(const io::TensorSource& source);
  static Result<MlpLayout> find_gguf(const io::TensorSource& source);
};

class Mlp final : public Connector {
 public:
  // in_width: of a feature; out_width: of the language model. The files must agree with both.
  static Result<std::unique_ptr<Mlp>> load(Weights& weights, const io::TensorSource& source, const MlpLayout& layout, int in_width, int out_width,
                                           const PackSettings& pack, Precision precision);

  int width() const override { return width_; }
  std::string name() const;  // "linear", "mlp2x_gelu"
  ConnectorPlan plan(std::span<const View> views, Size image, int pictures_in_prompt) const override;
  Result<PictureRows> fill(Run& run, std::span<const View> views, Size image, int pictures_in_prompt, const Features& features) override;

 private:
  struct Layer {
    Matrix weight;
    Tensor bias;
  };

  Mlp() = default;
  Tensor project(Run& run, const Tensor& features) const;

  std::vector<Layer> layers_;
  Activation activation_ = Activation::gelu;
  std::vector<float> newline_;
  PackSettings pack_;
  int width_ = 0;
};

}  // namespace lava
