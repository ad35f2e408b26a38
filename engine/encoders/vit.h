// The vision transformer of CLIP and SigLIP: patches -> pre-norm blocks -> hidden states. What differs between the two is VitConfig.
#pragma once
#include <memory>
#include <vector>

#include "engine/core/weights.h"
#include "engine/encoders/vision_encoder.h"
#include "engine/encoders/vit_config.h"
#include "engine/encoders/vit_names.h"

namespace lava {

class Vit final : public VisionEncoder {
 public:
  // mean and std: what pixels (0..1) are normalised with. Blocks after the deepest output are not loaded.
  static Result<std::unique_ptr<Vit>> load(Weights& weights, const io::TensorSource& source, const VitNames& names, const VitConfig& config,
                                           const std::array<float, 3>& mean, const std::array<float, 3>& std, Precision precision);

  const EncoderInfo& info() const override { return info_; }
  const VitConfig& config() const { return config_; }
  Result<Features> encode(Run& run, std::span<const View> views, const media::Picture& picture, const Signals& wanted) override;

 private:
  struct Linear {
    Matrix weight;
    Tensor bias;
  };
  struct Block {
    Tensor norm1, norm1_bias, norm2, norm2_bias;  // [width]
    Linear q, k, v, out, fc1, fc2;
  };

  Vit() = default;
  Result<void> load_entry(Weights& weights, const io::TensorSource& source, const VitNames& names, Precision precision);
  Result<Block> load_block(Weights& weights, const io::TensorSource& source, const VitLayerNames& names, Precision precision) const;
  Result<void> embed(Run& run, std::span<const View> views, const media::Picture& picture, const Tensor& hidden) const;
  void run_block(Run& run, const Block& block, const Tensor& hidden, int views) const;
  void collect(Run& run, int index, const Tensor& hidden, const Tensor& features) const;

  VitConfig config_;
  Precision precision_ = Precision::exact;
  EncoderInfo info_;
  Matrix patch_;                          // [width, 3 * patch * patch]
  Tensor patch_bias_, class_row_;         // [width]
  Tensor positions_;                      // [rows, width]
  Tensor pre_norm_, pre_norm_bias_;       // [width]
  std::vector<Block> blocks_;
};

}  // namespace lava
