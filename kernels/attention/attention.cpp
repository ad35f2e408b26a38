#include "kernels/ops.h"

namespace lava {

AttentionArgs attention_args(const StepParams* step, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal,
                             Precision precision) {
  LAVA_CHECK(out.dtype == DType::f32 && q.dtype == DType::f32);
  LAVA_CHECK(q.rank == 3 && out.rank == 3 && out.extent == q.extent && is_cache(k, v));
  LAVA_CHECK(q.extent[2] == k.extent[2] && k.extent[0] > 0 && q.extent[1] % k.extent[0] == 0 && k.extent[1] > 0);
  LAVA_CHECK(q.stride[2] == 1 && out.stride[2] == 1);
  AttentionArgs args;
  args.out = out, args.q = q, args.k = k, args.v = v, args.scale = scale, args.causal = causal, args.precision = precision;
  if (causal) args.step = step;
  return args;
}

void ops::attention(Run& run, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal, Precision precision) {
  run.execute(attention_args(run.step, out, q, k, v, scale, causal, precision));
}

}  // namespace lava
