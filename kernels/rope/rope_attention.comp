// A decoder's step: one row's q and k are rotated, k and v stored at position `past`, and the row attends to positions 0 .. past (attend.glsl).
// Each workgroup turns its own queries. Those that see the newest key make it for themselves, as the cache holds it; the first of a key head
// writes it there, and nobody reads it there.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(constant_id = 5) const bool adjacent = false;

layout(push_constant) uniform Push {
  Floats out_, q, k, v, cos_sin, k_cache, v_cache, partial;
  Step step;  // null: `past` holds
  int past;
  uint group, splits, rotary;
  float scale;
  uint out_head, q_head, k_head, v_head, k_cache_head, k_cache_position, v_cache_head, v_cache_position;
};

#include "attend.glsl"
#include "cache.glsl"
#include "rope.glsl"

const uint pitch = (d + chunk - 1) / chunk * chunk + 1;
shared float queries[slots * pitch], new_key[d], new_value[d];
uint newest;  // position

uint slot_count() { return group; }
uint keys_of(uint slot) { return newest + 1; }
uint out_at(uint slot) { return (gl_WorkGroupID.y * group + slot) * out_head; }
uint key_at(uint position) { return gl_WorkGroupID.y * k_cache_head + position * k_cache_position; }
uint value_at(uint position) { return gl_WorkGroupID.y * v_cache_head + position * v_cache_position; }

// Block b of the new key's, then the new value's.
void keep_block(uint b, bool written) {
  const bool is_key = b < d / 32;
  const uint first = b % (d / 32) * 32;
  float values[32];
  for (uint n = 0; n < 32; ++n) values[n] = is_key ? new_key[first + n] : new_value[first + n];
  if (is_key) store_block(Halves(k_cache), (key_at(newest) + first) / 32, values, written);
  else store_block(Halves(v_cache), (value_at(newest) + first) / 32, values, written);
  for (uint n = 0; n < 32; ++n) {
    if (is_key) new_key[first + n] = values[n];
    else new_value[first + n] = values[n];
  }
}

void keep_newest(bool written) {
  const uint t = gl_LocalInvocationID.x;
  for (uint i = t; i < d; i += threads) {
    new_key[i] = rotated(k, gl_WorkGroupID.y * k_head, newest, i);
    new_value[i] = v.v[gl_WorkGroupID.y * v_head + i];
    if (cache_type == CACHE_Q8_0) continue;
    new_key[i] = store(k_cache, key_at(newest) + i, new_key[i], written);
    new_value[i] = store(v_cache, value_at(newest) + i, new_value[i], written);
  }
  if (cache_type != CACHE_Q8_0) return;
  barrier();
  for (uint b = t; b < 2 * (d / 32); b += threads) keep_block(b, written);
}

void begin_keys(uint first_slot, uint begin, uint end) {
  for (uint e = gl_LocalInvocationID.x; e < slots * pitch; e += threads) {
    const uint slot = min(first_slot + e / pitch, group - 1), column = e % pitch;
    queries[e] = column < d ? rotated(q, (gl_WorkGroupID.y * group + slot) * q_head, newest, column) : 0.0;
  }
  if (begin <= newest && newest < end) keep_newest(gl_WorkGroupID.x == 0);
}
void load_queries(uint first_slot, uint c) {}
float query_value(uint s, uint c, uint n) { return queries[s * pitch + c + n]; }
float key_value(uint position, uint column) { return position == newest ? new_key[column] : cache_value(k_cache, key_at(position) + column); }
float value_value(uint position, uint column) { return position == newest ? new_value[column] : cache_value(v_cache, value_at(position) + column); }

void main() {
  newest = uint(past_of(step, past, q));
  attend();
}
