// Convolution over an image in [h, w, channels] order. 1x1 convolutions are linear() over rows, not this op.
#pragma once
#include "kernels/activation/activate.h"
#include "kernels/op.h"

namespace lava {

struct Conv2dArgs {
  static constexpr OpId id = OpId::conv2d;
  Tensor out;                       // f32 [oh, ow, oc]
  Tensor x;                         // f32 [h, w, ic]
  Tensor weight;                    // f32 dense [kh, kw, ic, oc]; depthwise [kh, kw, c]
  Tensor bias;                      // f32 [oc] or empty
  int32_t stride = 1;
  int32_t pad_top = 0, pad_left = 0;  // zeros before; zeros after follow from the output size
  bool depthwise = false;
  Activation activation = Activation::none;

  void visit(TensorVisitor& visitor) {
    visitor.written(out), visitor.read(x), visitor.read(weight);
    if (!bias.empty()) visitor.read(bias);
  }
  Cost cost() const {
    const double taps = static_cast<double>(weight.extent[0]) * weight.extent[1] * (depthwise ? 1 : x.extent[2]);
    return {4.0 * (x.elements() + out.elements() + weight.elements()), 2.0 * out.elements() * taps};
  }
};

}  // namespace lava
