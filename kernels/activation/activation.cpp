#include "kernels/ops.h"
#include "kernels/rows.h"

namespace lava::ops {

void glu(Run& run, const Tensor& out, const Tensor& gate, const Tensor& up, Activation kind) {
  LAVA_CHECK(is_rows(out) && is_rows(gate) && is_rows(up) && same_shape(out, gate) && same_shape(out, up));
  GluArgs args;
  args.out = out, args.gate = gate, args.up = up, args.kind = kind;
  run.execute(args);
}

void activate(Run& run, const Tensor& out, const Tensor& x, Activation kind) {
  LAVA_CHECK(is_rows(out) && is_rows(x) && same_shape(out, x));
  ActivateArgs args;
  args.out = out, args.x = x, args.kind = kind;
  run.execute(args);
}

void add(Run& run, const Tensor& out, const Tensor& a, const Tensor& b) {
  LAVA_CHECK(is_rows(out) && is_rows(a) && is_rows(b) && same_shape(out, a));
  LAVA_CHECK(same_shape(a, b) || is_vector(b, a.width()));
  AddArgs args;
  args.out = out, args.a = a, args.b = b;
  run.execute(args);
}

}  // namespace lava::ops
