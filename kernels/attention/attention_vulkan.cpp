#include "kernels/attention/attention_vulkan.h"

#include <bit>

#include "kernels/vulkan/shaders.h"

namespace lava::vulkan {
namespace {

// Defaults, not tuned: workgroups that keep a card busy, keys below which cutting costs more than it gives, and what the merge reads at most.
constexpr int64_t wanted_groups = 128, least_keys = 64, most_splits = 32;

struct Push {
  VkDeviceAddress out, q, k, v, partial, step;
  int32_t past;
  uint32_t rows, group, positions, splits;
  float scale;
  uint32_t out_row, out_head, q_row, q_head, k_head, k_position, v_head, v_position;
};

Push push_of(const AttentionArgs& a, const AttentionPlan& plan, VkDeviceAddress q, VkDeviceAddress partial, const Encoder& encoder) {
  return {encoder.address(a.out),
          q,
          encoder.address(a.k),
          encoder.address(a.v),
          partial,
          a.causal ? encoder.step(a.step) : 0,
          a.causal && a.step && !encoder.recording() ? a.step->past : 0,
          u32(plan.rows),
          u32(plan.group),
          u32(a.k.extent[1]),
          u32(plan.splits),
          a.scale,
          u32(a.out.stride[0]),
          u32(a.out.stride[1]),
          u32(a.q.stride[0]),
          u32(a.q.stride[1]),
          u32(a.k.stride[0]),
          u32(a.k.stride[1]),
          u32(a.v.stride[0]),
          u32(a.v.stride[1])};
}

// The most keys that a query can see when the op runs.
int64_t most_keys(const AttentionArgs& a, const Encoder& encoder) {
  const int64_t positions = a.k.extent[1], rows = a.q.extent[0];
  if (!a.causal) return positions;
  if (!a.step) return rows;
  if (!encoder.recording()) return a.step->past + rows;
  return a.step->limit > 0 ? std::min<int64_t>(a.step->limit - 1 + rows, positions) : positions;
}

}  // namespace

AttentionPlan::AttentionPlan(const AttentionArgs& a, const Encoder& encoder, int64_t most_slots)
    : rows(a.q.extent[0]), group(a.q.extent[1] / a.k.extent[0]), kv_heads(a.k.extent[0]), d(a.q.extent[2]) {
  const int64_t keys = most_keys(a, encoder), least = encoder.tiles().attention_least;
  LAVA_CHECK(keys <= a.k.extent[1]);
  slots = std::bit_ceil(u32(std::clamp<int64_t>(rows * group, 1, most_slots)));
  threads = u32(std::clamp<int64_t>((d + least - 1) / least * least, least, encoder.tiles().threads));
  blocks = (rows * group + slots - 1) / slots;
  splits = blocks > 0 ? std::clamp<int64_t>(std::min(wanted_groups / (blocks * kv_heads), keys / least_keys), 1, most_splits) : 1;
}

void attend(const AttentionArgs& a, const AttentionPlan& plan, VkDeviceAddress q, VkDeviceAddress partial, Encoder& encoder) {
  if (plan.rows == 0) return;
  encoder.dispatch(shaders::attention, plan.threads, {u32(plan.d), plan.slots, static_cast<uint32_t>(a.k.dtype), encoder.tiles().attention_keys, a.causal, false},
                   plan.groups(), push_of(a, plan, q, partial, encoder));
  merge(a, plan, partial, encoder);
}

void merge(const AttentionArgs& a, const AttentionPlan& plan, VkDeviceAddress partial, Encoder& encoder) {
  if (plan.splits == 1) return;
  encoder.barrier();
  encoder.dispatch(shaders::attention, plan.threads, {u32(plan.d), 1, static_cast<uint32_t>(a.k.dtype), 1, a.causal, true},
                   {u32(plan.rows * plan.group), u32(plan.kv_heads), 1}, push_of(a, plan, 0, partial, encoder));
}

void attention(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const AttentionPlan plan(a, encoder, encoder.tiles().attention_queries);
  const size_t partial = plan.partial_bytes();
  attend(a, plan, encoder.address(a.q), partial > 0 ? encoder.scratch(partial) : 0, encoder);
}

}  // namespace lava::vulkan
