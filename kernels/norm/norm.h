// Normalisation over the last extent.
#pragma once
#include "kernels/op.h"

namespace lava {

struct RmsNormArgs {
  static constexpr OpId id = OpId::rms_norm;
  Tensor out, x;     // f32 [rows, width]; may be the same memory
  Tensor weight;     // f32 [width]
  float eps = 1e-5f;  // out = x / sqrt(mean(x^2) + eps) * weight

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x), visitor.read(weight); }
  Cost cost() const { return {8.0 * x.elements(), 4.0 * x.elements()}; }
};

struct LayerNormArgs {
  static constexpr OpId id = OpId::layer_norm;
  Tensor out, x;        // f32 [rows, width]; may be the same memory
  Tensor weight, bias;  // f32 [width]
  float eps = 1e-5f;     // out = (x - mean) / sqrt(var + eps) * weight + bias

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x), visitor.read(weight), visitor.read(bias); }
  Cost cost() const { return {8.0 * x.elements(), 8.0 * x.elements()}; }
};

struct SoftmaxArgs {
  static constexpr OpId id = OpId::softmax;
  Tensor out, x;  // f32 [rows, width]; may be the same memory

  void visit(TensorVisitor& visitor) { visitor.written(out), visitor.read(x); }
  Cost cost() const { return {8.0 * x.elements(), 8.0 * x.elements()}; }
};

}  // namespace lava
