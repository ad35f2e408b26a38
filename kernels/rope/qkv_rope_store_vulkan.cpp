#include "kernels/rope/qkv_rope_store_vulkan.h"

#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {

void store_rotated(const QkvRopeStoreArgs& a, VkDeviceAddress q_to, Encoder& encoder) {
  const int64_t rows = a.q.extent[0], heads = a.q.extent[1], kv_heads = a.k.extent[1], d = a.q.extent[2];
  const struct {
    VkDeviceAddress q, q_to, k, v, cos_sin, k_cache, v_cache, step;
    int32_t past;
    uint32_t rows, heads, kv_heads, d, rotary;
    uint32_t q_row, q_head, k_row, k_head, v_row, v_head;
    uint32_t k_cache_head, k_cache_position, v_cache_head, v_cache_position;
  } push{encoder.address(a.q),       q_to,
         encoder.address(a.k),       encoder.address(a.v),
         encoder.address(a.cos_sin), encoder.address(a.k_cache),
         encoder.address(a.v_cache), encoder.step(a.step),
         first_position(a, encoder), u32(rows),
         u32(heads),                 u32(kv_heads),
         u32(d),                     u32(a.cos_sin.extent[1]),
         u32(a.q.stride[0]),         u32(a.q.stride[1]),
         u32(a.k.stride[0]),         u32(a.k.stride[1]),
         u32(a.v.stride[0]),         u32(a.v.stride[1]),
         u32(a.k_cache.stride[0]),   u32(a.k_cache.stride[1]),
         u32(a.v_cache.stride[0]),   u32(a.v_cache.stride[1])};
  encoder.dispatch_each(shaders::qkv_rope_store, {static_cast<uint32_t>(a.k_cache.dtype), a.style == RopeStyle::adjacent}, rows * (heads + kv_heads) * d, push);
}

void qkv_rope_store(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const QkvRopeStoreArgs*>(args);
  store_rotated(a, encoder.address(a.q), encoder);
}

}  // namespace lava::vulkan
