#include "kernels/attention/attention.h"

#include <bit>

#include "kernels/vulkan/encoder.h"
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

// The most keys that a query can see when the op runs.
int64_t most_keys(const AttentionArgs& a, const Encoder& encoder) {
  const int64_t positions = a.k.extent[1], rows = a.q.extent[0];
  if (!a.causal) return positions;
  if (!a.step) return rows;
  if (!encoder.recording()) return a.step->past + rows;
  return a.step->limit > 0 ? std::min<int64_t>(a.step->limit - 1 + rows, positions) : positions;
}

}  // namespace

void attention(const void* args, Encoder& encoder) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const int64_t rows = a.q.extent[0], kv_heads = a.k.extent[0], group = a.q.extent[1] / kv_heads, d = a.q.extent[2], keys = most_keys(a, encoder);
  LAVA_CHECK(keys <= a.k.extent[1]);
  if (rows == 0) return;
  const uint32_t slots = std::bit_ceil(u32(std::min<int64_t>(rows * group, 16)));
  const uint32_t threads = u32(std::clamp<int64_t>((d + 31) / 32 * 32, 32, 256));
  const int64_t blocks = (rows * group + slots - 1) / slots;
  const int64_t splits = std::clamp<int64_t>(std::min(wanted_groups / (blocks * kv_heads), keys / least_keys), 1, most_splits);
  const Push push{encoder.address(a.out),
                  encoder.address(a.q),
                  encoder.address(a.k),
                  encoder.address(a.v),
                  splits > 1 ? encoder.scratch(static_cast<size_t>(4 * rows * group * kv_heads * splits * (d + 2))) : 0,
                  a.causal ? encoder.step(a.step) : 0,
                  a.causal && a.step && !encoder.recording() ? a.step->past : 0,
                  u32(rows),
                  u32(group),
                  u32(a.k.extent[1]),
                  u32(splits),
                  a.scale,
                  u32(a.out.stride[0]),
                  u32(a.out.stride[1]),
                  u32(a.q.stride[0]),
                  u32(a.q.stride[1]),
                  u32(a.k.stride[0]),
                  u32(a.k.stride[1]),
                  u32(a.v.stride[0]),
                  u32(a.v.stride[1])};
  const uint32_t cache_type = static_cast<uint32_t>(a.k.dtype), causal = a.causal;
  encoder.dispatch(shaders::attention, threads, {u32(d), slots, cache_type, causal, false}, {u32(blocks), u32(kv_heads), u32(splits)}, push);
  if (splits == 1) return;
  encoder.barrier();
  encoder.dispatch(shaders::attention, threads, {u32(d), 1, cache_type, causal, true}, {u32(rows * group), u32(kv_heads), 1}, push);
}

}  // namespace lava::vulkan
