#include "kernels/rope/rope_attention.h"

#include <bit>

#include "kernels/attention/attention_vulkan.h"
#include "kernels/rope/qkv_rope_store_vulkan.h"
#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Queries that a workgroup can keep beside the newest key and value; 0: the heads are too wide for that.
int64_t queries_that_fit(const Tiles& tiles, int64_t d) {
  int64_t queries = tiles.attention_queries;
  while (queries > 0 && rope_attention_bytes(queries, tiles.attention_keys, d) > tiles.shared_bytes) queries /= 2;
  return queries;
}

// Rotated queries to scratch, then plain attention; partial results lie behind them.
void step_in_two(const RopeAttentionArgs& a, const AttentionArgs& attention, Encoder& encoder) {
  const AttentionPlan plan(attention, encoder, encoder.tiles().attention_queries);
  const size_t queries = static_cast<size_t>(4 * ((a.rope.q.extent[1] - 1) * a.rope.q.stride[1] + plan.d));
  const VkDeviceAddress scratch = encoder.scratch(queries + plan.partial_bytes());
  store_rotated(a.rope, scratch, encoder);
  encoder.barrier();
  attend(attention, plan, scratch, scratch + queries, encoder);
}

}  // namespace

void rope_attention(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const RopeAttentionArgs*>(args);
  const AttentionArgs attention = a.attention();
  const QkvRopeStoreArgs& rope = a.rope;
  const Tiles& tiles = encoder.tiles();
  const int64_t most_slots = queries_that_fit(tiles, rope.q.extent[2]);
  if (most_slots == 0) return step_in_two(a, attention, encoder);
  const AttentionPlan plan(attention, encoder, most_slots);
  const VkDeviceAddress partial = plan.splits > 1 ? encoder.scratch(plan.partial_bytes()) : 0;
  const struct {
    VkDeviceAddress out, q, k, v, cos_sin, k_cache, v_cache, partial, step;
    int32_t past;
    uint32_t group, splits, rotary;
    float scale;
    uint32_t out_head, q_head, k_head, v_head, k_cache_head, k_cache_position, v_cache_head, v_cache_position;
  } push{encoder.address(a.out),
         encoder.address(rope.q),
         encoder.address(rope.k),
         encoder.address(rope.v),
         encoder.address(rope.cos_sin),
         encoder.address(rope.k_cache),
         encoder.address(rope.v_cache),
         partial,
         encoder.step(rope.step),
         first_position(rope, encoder),
         u32(plan.group),
         u32(plan.splits),
         u32(rope.cos_sin.extent[1]),
         a.scale,
         u32(a.out.stride[1]),
         u32(rope.q.stride[1]),
         u32(rope.k.stride[1]),
         u32(rope.v.stride[1]),
         u32(rope.k_cache.stride[0]),
         u32(rope.k_cache.stride[1]),
         u32(rope.v_cache.stride[0]),
         u32(rope.v_cache.stride[1])};
  encoder.dispatch(shaders::rope_attention, plan.threads,
                   {u32(plan.d), plan.slots, static_cast<uint32_t>(rope.k_cache.dtype), tiles.attention_keys, rope.style == RopeStyle::adjacent}, plan.groups(), push);
  merge(attention, plan, partial, encoder);
}

}  // namespace lava::vulkan
