#include "kernels/rope/rope_attention.h"

#include "kernels/attention/attention_cpu.h"

namespace lava::LAVA_ISA {

void rope_attention(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const RopeAttentionArgs*>(args);
  const int64_t past = a.rope.step ? a.rope.step->past : 0;
  LAVA_CHECK(past >= 0 && past < a.rope.k_cache.extent[1] && past < a.rope.cos_sin.extent[0]);
  const bool fits = attend_row(a.attention(), &a.rope, past, lane);
  LAVA_CHECK(fits);  // most_group_values
}

}  // namespace lava::LAVA_ISA
