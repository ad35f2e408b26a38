// The definition of rope_attention: the two ops on a copy of q. Not shared among lanes.
#include <vector>

#include "kernels/lane.h"
#include "kernels/rope/rope_attention.h"

namespace lava::reference {

void qkv_rope_store(const void* args, const Lane& lane);
void attention(const void* args, const Lane& lane);

void rope_attention(const void* args, const Lane& lane) {
  if (lane.index != 0) return;
  RopeAttentionArgs a = *static_cast<const RopeAttentionArgs*>(args);
  const int64_t heads = a.rope.q.extent[1], d = a.rope.q.extent[2];
  std::vector<float> q(static_cast<size_t>(heads * d));
  for (int64_t i = 0; i < heads * d; ++i) q[static_cast<size_t>(i)] = a.rope.q.as<float>()[i / d * a.rope.q.stride[1] + i % d];
  a.rope.q = Tensor(DType::f32, {1, heads, d}, q.data());
  qkv_rope_store(&a.rope, Lane());
  const AttentionArgs second = a.attention();
  attention(&second, Lane());
}

}  // namespace lava::reference
