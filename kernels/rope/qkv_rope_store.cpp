#include "kernels/attention/cache.h"
#include "kernels/ops.h"

namespace lava {

QkvRopeStoreArgs qkv_rope_store_args(const StepParams* step, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle style,
                                     const Tensor& k_cache, const Tensor& v_cache) {
  LAVA_CHECK(q.rank == 3 && k.rank == 3 && v.rank == 3 && q.dtype == DType::f32 && k.dtype == DType::f32 && v.dtype == DType::f32);
  LAVA_CHECK(k.extent == v.extent && q.extent[0] == k.extent[0] && q.extent[2] == k.extent[2]);
  LAVA_CHECK(q.stride[2] == 1 && k.stride[2] == 1 && v.stride[2] == 1);
  LAVA_CHECK(is_cache(k_cache, v_cache) && k_cache.extent[0] == k.extent[1] && k_cache.extent[2] == k.extent[2]);
  LAVA_CHECK(cos_sin.dtype == DType::f32 && cos_sin.rank == 2 && cos_sin.contiguous());
  LAVA_CHECK(cos_sin.extent[1] % 2 == 0 && cos_sin.extent[1] <= q.extent[2]);
  QkvRopeStoreArgs args;
  args.q = q, args.k = k, args.v = v, args.cos_sin = cos_sin, args.k_cache = k_cache, args.v_cache = v_cache;
  args.style = style, args.step = step;
  return args;
}

void ops::qkv_rope_store(Run& run, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle style, const Tensor& k_cache,
                         const Tensor& v_cache) {
  run.execute(qkv_rope_store_args(run.step, q, k, v, cos_sin, style, k_cache, v_cache));
}

}  // namespace lava
