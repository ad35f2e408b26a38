// Rotates q to q_to (which may be q), k on its way to the cache; v goes there as it is. One invocation per (row, head of q then kv, position in the
// head); those of the first half of the rotated part do pairs. In a Q8_0 cache an invocation of a key head writes a block, of k or of v.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(constant_id = 1) const uint cache_type = 0;
layout(constant_id = 2) const bool adjacent = false;

layout(push_constant) uniform Push {
  Floats q, q_to, k, v, cos_sin, k_cache, v_cache;
  Step step;  // null: `past` holds
  int past;
  uint rows, heads, kv_heads, d, rotary;
  uint q_row, q_head, k_row, k_head, v_row, v_head;
  uint k_cache_head, k_cache_position, v_cache_head, v_cache_position;
};

#include "cache.glsl"
#include "rope.glsl"

void store_blocks(uint row, uint kv, uint position, uint i) {
  const uint blocks = d / 32, first = i % blocks * 32;
  if (i >= 2 * blocks) return;
  const bool is_key = i < blocks;
  float values[32];
  for (uint n = 0; n < 32; ++n)
    values[n] = is_key ? rotated(k, row * k_row + kv * k_head, position, first + n) : v.v[row * v_row + kv * v_head + first + n];
  const uint at = is_key ? kv * k_cache_head + position * k_cache_position : kv * v_cache_head + position * v_cache_position;
  if (is_key) store_block(Halves(k_cache), (at + first) / 32, values, true);
  else store_block(Halves(v_cache), (at + first) / 32, values, true);
}

void turn_query(uint base, uint position, uint i) {
  if (i < rotary / 2) {
    const uvec2 at = base + pair_at(i);
    const vec2 turned = rotate(vec2(q.v[at.x], q.v[at.y]), position, i);
    q_to.v[at.x] = turned.x, q_to.v[at.y] = turned.y;
  } else if (i >= rotary) {
    q_to.v[base + i] = q.v[base + i];
  }
}

void main() {
  const uint at = invocation(), i = at % d, head = at / d % (heads + kv_heads), row = at / d / (heads + kv_heads);
  if (row >= rows) return;
  const uint position = uint(past_of(step, past, q)) + row;
  if (head < heads) {
    turn_query(row * q_row + head * q_head, position, i);
    return;
  }
  const uint kv = head - heads;
  if (cache_type == CACHE_Q8_0) {
    store_blocks(row, kv, position, i);
    return;
  }
  store(k_cache, kv * k_cache_head + position * k_cache_position + i, rotated(k, row * k_row + kv * k_head, position, i), true);
  store(v_cache, kv * v_cache_head + position * v_cache_position + i, v.v[row * v_row + kv * v_head + i], true);
}
