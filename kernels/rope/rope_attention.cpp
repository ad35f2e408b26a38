#include "kernels/ops.h"

namespace lava::ops {

void rope_attention(Run& run, const Tensor& out, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos_sin, RopeStyle style,
                    const Tensor& k_cache, const Tensor& v_cache, float scale) {
  const QkvRopeStoreArgs rope = qkv_rope_store_args(run.step, q, k, v, cos_sin, style, k_cache, v_cache);
  const AttentionArgs attention = attention_args(run.step, out, q, k_cache, v_cache, scale, true, Precision::exact);
  const bool fits = q.extent[1] / k.extent[1] * q.extent[2] <= RopeAttentionArgs::most_group_values;
  if (run.device.info().fuses && q.extent[0] == 1 && fits) {
    RopeAttentionArgs args;
    args.out = out, args.rope = rope, args.scale = scale;
    return run.execute(args);
  }
  run.execute(rope);
  run.execute(attention);
}

}  // namespace lava::ops
