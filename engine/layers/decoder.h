// The decoder of the LLaMA family: pre-norm blocks of rotary grouped attention and a gated feed-forward.
#pragma once
#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "engine/adapters/adapter.h"
#include "engine/core/weights.h"
#include "engine/kv/full.h"
#include "engine/models/text_config.h"
#include "engine/models/text_names.h"
#include "kernels/linear/linear.h"
#include "kernels/run.h"

namespace lava {

struct DecoderLayer {
  struct Linear {
    Matrix weight;
    Tensor bias;  // may be empty
  };
  Tensor attention_norm, mlp_norm;  // [width]
  std::array<Linear, linear_roles> linear;
};

struct MatrixExtent {
  int64_t out, in;
};
MatrixExtent matrix_extent(const TextConfig& config, LinearRole role);

struct DecoderOptions {
  int context = 2048;  // positions of the rope table
  Precision precision = Precision::exact;
  int first = 0, end = -1;  // layers to load; -1: to the last
};

// All layers, or some that follow each other: of several parts the one with the first layer embeds, the one with the last reads out.
class Decoder {
 public:
  // `progress` 0..1. The source must outlive the decoder.
  static Result<std::unique_ptr<Decoder>> load(Weights&, const io::TensorSource&, const TextConfig&, const DecoderOptions&,
                                               const std::function<void(double)>& progress = {});

  const TextConfig& config() const { return config_; }
  int context() const { return context_; }
  KvShape kv_shape(DType type) const { return {end_ - first_, config_.kv_heads, context_, config_.head_dim, type, first_}; }  // of its cache
  bool embeds() const { return first_ == 0; }
  bool reads_out() const { return end_ == config_.layers; }
  const Matrix& embedding() const { return embedding_; }

  // Through its layers: rows x [rows, width] at positions past .. of run.step, changed in place. Fails only when cancelled.
  Result<void> run_layers(Run&, const Tensor& x, const KvCache&, Adapters) const;
  // Final norm and output matrix: x [rows, width] -> logits [rows, vocabulary].
  void read_out(Run&, const Tensor& x, const Tensor& logits) const;

 private:
  struct Branch {
    LinearRole role;
    Tensor out;
    bool accumulate = false;
  };

  Decoder() = default;
  Result<void> load_ends(Weights&, const io::TensorSource&, const TextNames&, Precision);
  Result<void> load_layer(Weights&, const io::TensorSource&, const TextNames&, int layer, Precision);
  Result<void> load_rope_table(Weights&);
  void attend(Run&, int layer, const Tensor& x, const KvCache&, Adapters) const;
  void feed_forward(Run&, int layer, const Tensor& x, Adapters) const;
  void project(Run&, int layer, std::initializer_list<Branch>, Tensor x, RmsNorm, Adapters) const;
  static bool covered(Adapters, int layer, std::initializer_list<Branch>);

  TextConfig config_;
  int context_ = 0, first_ = 0, end_ = 0;
  Matrix embedding_, head_;
  Tensor final_norm_;  // [width]
  Tensor cos_sin_;     // [context, head_dim]
  std::vector<DecoderLayer> layers_;  // by the model's numbers: those of other parts are empty
};

}  // namespace lava
