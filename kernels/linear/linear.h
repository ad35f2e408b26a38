// out = act(x W^T + bias), or out += for accumulate. Up to three weights share one x (q,k,v or gate,up), so x is prepared once, and normed
// on the way where the layer begins with a norm.
#pragma once
#include <array>

#include "kernels/activation/activate.h"
#include "kernels/matrix.h"
#include "kernels/op.h"

namespace lava {

struct LinearTarget {
  Matrix weight;  // [out, in]
  Tensor bias;    // f32 [out] or empty
  Tensor out;     // f32 [rows, out]
  Activation activation = Activation::none;
  bool accumulate = false;  // out += ...; then activation must be none
};

// x / sqrt(mean(x^2) + eps) * gain, as rms_norm; none without gain.
struct RmsNorm {
  Tensor gain;  // f32 [in]
  float eps = 0;
};

struct LinearArgs {
  static constexpr OpId id = OpId::linear;
  Tensor x;        // f32 [rows, in]
  Tensor scratch;  // u8 [n]: the prepared x as LinearScratch lays it out; empty if there is nothing to prepare
  RmsNorm norm;    // only on devices that fuse (DeviceInfo::fuses)
  int32_t targets = 0;
  bool gated = false;  // two targets of one width: afterwards target[0].out is multiplied by target[1].out
  std::array<LinearTarget, 3> target;

  size_t scratch_bytes() const;  // that `scratch` must have
  void visit(TensorVisitor& visitor);
  Cost cost() const;
};

}  // namespace lava
