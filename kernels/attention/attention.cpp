#include "kernels/ops.h"

namespace lava::ops {
namespace {

bool is_cache_type(DType type) { return type == DType::f32 || type == DType::f16; }

}  // namespace

void attention(Run& run, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, float scale, bool causal, Precision precision) {
  LAVA_CHECK(out.dtype == DType::f32 && q.dtype == DType::f32 && is_cache_type(k.dtype) && v.dtype == k.dtype);
  LAVA_CHECK(q.rank == 3 && out.rank == 3 && k.rank == 3 && v.rank == 3 && out.extent == q.extent && k.extent == v.extent);
  LAVA_CHECK(q.extent[2] == k.extent[2] && k.extent[0] > 0 && q.extent[1] % k.extent[0] == 0 && k.extent[1] > 0);
  LAVA_CHECK(q.stride[2] == 1 && out.stride[2] == 1 && k.stride[2] == 1 && v.stride[2] == 1);
  AttentionArgs args;
  args.out = out, args.q = q, args.k = k, args.v = v, args.scale = scale, args.causal = causal, args.precision = precision;
  if (causal) args.step = run.step;
  run.execute(args);
}

}  // namespace lava::ops
