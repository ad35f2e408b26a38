#include "kernels/lane.h"
#include "kernels/rope/rope_cpu.h"

namespace lava::LAVA_ISA {

// Work items are (row, head), query heads first, so that a single row still fills all lanes.
void qkv_rope_store(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const QkvRopeStoreArgs*>(args);
  const int64_t past = a.step ? a.step->past : 0, rows = a.q.extent[0], heads = a.q.extent[1], kv_heads = a.k.extent[1];
  LAVA_CHECK(past >= 0 && past + rows <= a.k_cache.extent[1] && past + rows <= a.cos_sin.extent[0]);
  LAVA_CHECK(static_cast<size_t>(a.k.extent[2]) * sizeof(float) <= Lane::scratch_bytes);
  auto* key = reinterpret_cast<float*>(lane.scratch);
  const auto [begin, end] = lane.share(rows * (heads + kv_heads));
  for (int64_t item = begin; item < end; ++item) {
    const int64_t row = item / (heads + kv_heads), head = item % (heads + kv_heads), kv_head = head - heads;
    if (kv_head < 0) {
      float* q = a.q.as<float>() + row * a.q.stride[0] + head * a.q.stride[1];
      rotate(a, q, q, past + row);
      continue;
    }
    rotate(a, key, a.k.as<float>() + row * a.k.stride[0] + kv_head * a.k.stride[1], past + row);
    write_cache(a.k_cache, kv_head, past + row, key);
    write_cache(a.v_cache, kv_head, past + row, a.v.as<float>() + row * a.v.stride[0] + kv_head * a.v.stride[1]);
  }
}

}  // namespace lava::LAVA_ISA
