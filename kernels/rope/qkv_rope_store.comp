// Rotates q in place, k on its way to the cache; v goes there as it is. One invocation per (row, head of q then kv, position in the head);
// those of the first half of the rotated part do pairs.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(constant_id = 1) const bool half_cache = false;
layout(constant_id = 2) const bool adjacent = false;

layout(push_constant) uniform Push {
  Floats q, k, v, cos_sin, k_cache, v_cache;
  Step step;  // null: `past` holds
  int past;
  uint rows, heads, kv_heads, d, rotary;
  uint q_row, q_head, k_row, k_head, v_row, v_head;
  uint k_cache_head, k_cache_position, v_cache_head, v_cache_position;
};

void store(Floats cache, uint at, float value) {
  if (half_cache) Halves(cache).v[at] = uint16_t(float_to_half(value));
  else cache.v[at] = value;
}

vec2 rotate(vec2 pair, uint position, uint i) {
  const float c = cos_sin.v[position * rotary + i], s = cos_sin.v[position * rotary + rotary / 2 + i];
  return vec2(pair.x * c - pair.y * s, pair.y * c + pair.x * s);
}

void main() {
  const uint at = invocation(), i = at % d, head = at / d % (heads + kv_heads), row = at / d / (heads + kv_heads);
  if (row >= rows) return;
  const uint position = uint(uvec2(step) == uvec2(0) ? past : step.past) + row, pairs = rotary / 2;
  const uint first = adjacent ? 2 * i : i, second = adjacent ? 2 * i + 1 : i + pairs;
  if (head < heads) {
    const uint base = row * q_row + head * q_head;
    if (i >= pairs) return;
    const vec2 turned = rotate(vec2(q.v[base + first], q.v[base + second]), position, i);
    q.v[base + first] = turned.x, q.v[base + second] = turned.y;
    return;
  }
  const uint kv = head - heads, base = row * k_row + kv * k_head, target = kv * k_cache_head + position * k_cache_position;
  store(v_cache, kv * v_cache_head + position * v_cache_position + i, v.v[row * v_row + kv * v_head + i]);
  if (i >= rotary) store(k_cache, target + i, k.v[base + i]);
  if (i >= pairs) return;
  const vec2 turned = rotate(vec2(k.v[base + first], k.v[base + second]), position, i);
  store(k_cache, target + first, turned.x), store(k_cache, target + second, turned.y);
}
