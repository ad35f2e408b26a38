// How attention is laid out over workgroups: for the op itself and for rope_attention.
#pragma once
#include "kernels/attention/attention.h"
#include "kernels/vulkan/encoder.h"

namespace lava::vulkan {

struct AttentionPlan {
  uint32_t slots, threads;         // queries of a workgroup, and its size
  int64_t rows, group, kv_heads, d;
  int64_t blocks, splits;          // workgroups along the queries of a key head, and along its keys

  // For at most so many queries per workgroup.
  AttentionPlan(const AttentionArgs& a, const Encoder& encoder, int64_t most_slots);
  Groups groups() const { return {u32(blocks), u32(kv_heads), u32(splits)}; }
  size_t partial_bytes() const { return splits > 1 ? static_cast<size_t>(4 * rows * group * kv_heads * splits * (d + 2)) : 0; }
};

// The dispatches, with queries (of the strides of a.q) and partial results at these addresses.
void attend(const AttentionArgs& a, const AttentionPlan& plan, VkDeviceAddress q, VkDeviceAddress partial, Encoder& encoder);
// The last of them, behind a barrier; nothing where the keys were not cut.
void merge(const AttentionArgs& a, const AttentionPlan& plan, VkDeviceAddress partial, Encoder& encoder);

}  // namespace lava::vulkan
