#include "kernels/ops.h"
#include "kernels/rows.h"

namespace lava::ops {

void rms_norm(Run& run, const Tensor& out, const Tensor& x, const Tensor& weight, float eps) {
  LAVA_CHECK(is_rows(out) && is_rows(x) && same_shape(out, x) && is_vector(weight, x.width()) && eps >= 0);
  RmsNormArgs args;
  args.out = out, args.x = x, args.weight = weight, args.eps = eps;
  run.execute(args);
}

void layer_norm(Run& run, const Tensor& out, const Tensor& x, const Tensor& weight, const Tensor& bias, float eps) {
  LAVA_CHECK(is_rows(out) && is_rows(x) && same_shape(out, x) && is_vector(weight, x.width()) && is_vector(bias, x.width()) && eps >= 0);
  LayerNormArgs args;
  args.out = out, args.x = x, args.weight = weight, args.bias = bias, args.eps = eps;
  run.execute(args);
}

void softmax(Run& run, const Tensor& out, const Tensor& x) {
  LAVA_CHECK(is_rows(out) && is_rows(x) && same_shape(out, x));
  SoftmaxArgs args;
  args.out = out, args.x = x;
  run.execute(args);
}

}  // namespace lava::ops
