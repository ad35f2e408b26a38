// Rotates q in place, k on its way to the cache; v goes there as it is. One invocation per (row, head of q then kv, position in the head);
// those of the first half of the rotated part do pairs. In a Q8_0 cache an invocation of a key head writes a block, of k or of v.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(constant_id = 1) const uint cache_type = 0;
layout(constant_id = 2) const bool adjacent = false;

layout(push_constant) uniform Push {
  Floats q, k, v, cos_sin, k_cache, v_cache;
  Step step;  // null: `past` holds
  int past;
  uint rows, heads, kv_heads, d, rotary;
  uint q_row, q_head, k_row, k_head, v_row, v_head;
  uint k_cache_head, k_cache_position, v_cache_head, v_cache_position;
};

#include "cache.glsl"

void store(Floats cache, uint at, float value) {
  if (cache_type == CACHE_F16) Halves(cache).v[at] = uint16_t(float_to_half(value));
  else cache.v[at] = value;
}

vec2 rotate(vec2 pair, uint position, uint i) {
  const float c = cos_sin.v[position * rotary + i], s = cos_sin.v[position * rotary + rotary / 2 + i];
  return vec2(pair.x * c - pair.y * s, pair.y * c + pair.x * s);
}

// Value i of the key that begins at `base`, rotated.
float rotated(uint base, uint position, uint i) {
  if (i >= rotary) return k.v[base + i];
  const uint pairs = rotary / 2, pair = adjacent ? i / 2 : i % pairs;
  const uint first = adjacent ? 2 * pair : pair, second = adjacent ? first + 1 : first + pairs;
  const vec2 turned = rotate(vec2(k.v[base + first], k.v[base + second]), position, pair);
  return i == first ? turned.x : turned.y;
}

// A block as encode_q8_0 of kernels/formats makes it: codes cannot tell what is not finite, the scale does.
void store_block(Halves cache, uint block, float values[32]) {
  float largest = 0.0;
  bool finite = true;
  for (uint i = 0; i < 32; ++i) {
    largest = max(largest, abs(values[i]));
    finite = finite && (floatBitsToUint(values[i]) & 0x7f800000u) != 0x7f800000u;
  }
  const float scale = largest / 127.0, inverse = finite && scale > 1e-37 ? 1.0 / scale : 0.0;
  cache.v[17 * block] = uint16_t(finite ? float_to_half(scale) : 0x7e00u);
  for (uint i = 0; i < 16; ++i) {
    const vec2 pair = finite ? vec2(values[2 * i], values[2 * i + 1]) * inverse : vec2(0.0);
    const ivec2 codes = ivec2(sign(pair) * floor(abs(pair) + 0.5));
    cache.v[17 * block + 1 + i] = uint16_t((codes.x & 255) | (codes.y & 255) << 8);
  }
}

void store_blocks(uint row, uint kv, uint position, uint i) {
  const uint blocks = d / 32, first = i % blocks * 32;
  if (i >= 2 * blocks) return;
  const bool is_key = i < blocks;
  float values[32];
  for (uint n = 0; n < 32; ++n)
    values[n] = is_key ? rotated(row * k_row + kv * k_head, position, first + n) : v.v[row * v_row + kv * v_head + first + n];
  const uint at = is_key ? kv * k_cache_head + position * k_cache_position : kv * v_cache_head + position * v_cache_position;
  if (is_key) store_block(Halves(k_cache), (at + first) / 32, values);
  else store_block(Halves(v_cache), (at + first) / 32, values);
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
  const uint kv = head - heads;
  if (cache_type == CACHE_Q8_0) {
    store_blocks(row, kv, position, i);
    return;
  }
  store(k_cache, kv * k_cache_head + position * k_cache_position + i, rotated(row * k_row + kv * k_head, position, i));
  store(v_cache, kv * v_cache_head + position * v_cache_position + i, v.v[row * v_row + kv * v_head + i]);
}
