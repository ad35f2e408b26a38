#pragma once
#include "kernels/rope/qkv_rope_store.h"
#include "kernels/vulkan/encoder.h"

namespace lava::vulkan {

// The dispatch of qkv_rope_store, which leaves the rotated q at `q_to`, with the strides of q.
void store_rotated(const QkvRopeStoreArgs& a, VkDeviceAddress q_to, Encoder& encoder);

// Where the first row stands, for an eager op; 0 for a recorded one, which reads it when it runs.
inline int32_t first_position(const QkvRopeStoreArgs& a, const Encoder& encoder) {
  const int32_t past = a.step && !encoder.recording() ? a.step->past : 0;
  LAVA_CHECK(past >= 0 && past + a.q.extent[0] <= a.k_cache.extent[1] && past + a.q.extent[0] <= a.cos_sin.extent[0]);
  return past;
}

}  // namespace lava::vulkan
