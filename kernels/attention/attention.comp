// Attention of queries and a cache that lie in memory; and the merging of what workgroups left that cut the keys (attend.glsl).
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(constant_id = 5) const bool causal = true;
layout(constant_id = 6) const bool merging = false;

layout(push_constant) uniform Push {
  Floats out_, q, k, v, partial;
  Step step;  // null: `past` holds
  int past;
  uint rows, group, positions, splits;
  float scale;
  uint out_row, out_head, q_row, q_head, k_head, k_position, v_head, v_position;
};

#include "attend.glsl"
#include "cache.glsl"

shared float q_chunk[slots * (chunk + 1)];

uint slot_count() { return rows * group; }
int past_now() { return past_of(step, past, q); }
uint keys_of(uint slot) { return causal ? min(uint(past_now()) + slot / group + 1, positions) : positions; }
uint head_at(uint slot, uint row_stride, uint head_stride) { return slot / group * row_stride + (gl_WorkGroupID.y * group + slot % group) * head_stride; }
uint out_at(uint slot) { return head_at(slot, out_row, out_head); }

void begin_keys(uint first_slot, uint begin, uint end) {}
void load_queries(uint first_slot, uint c) {
  for (uint e = gl_LocalInvocationID.x; e < slots * chunk; e += threads) {
    const uint slot = min(first_slot + e / chunk, slot_count() - 1), column = c + e % chunk;
    q_chunk[e / chunk * (chunk + 1) + e % chunk] = column < d ? q.v[head_at(slot, q_row, q_head) + column] : 0.0;
  }
}
float query_value(uint s, uint c, uint n) { return q_chunk[s * (chunk + 1) + n]; }
float key_value(uint position, uint column) { return cache_value(k, gl_WorkGroupID.y * k_head + position * k_position + column); }
float value_value(uint position, uint column) { return cache_value(v, gl_WorkGroupID.y * v_head + position * v_position + column); }

// One workgroup per slot.
void merge() {
  const uint slot = gl_WorkGroupID.x, at = (gl_WorkGroupID.y * slot_count() + slot) * splits * (d + 2);
  float top = partial.v[at + d], all = 0.0;
  for (uint s = 1; s < splits; ++s) top = max(top, partial.v[at + s * (d + 2) + d]);
  for (uint s = 0; s < splits; ++s) {
    const uint one = at + s * (d + 2);
    all += partial.v[one + d + 1] * exp_exact(partial.v[one + d] - top);
  }
  for (uint column = gl_LocalInvocationID.x; column < d; column += threads) {
    float sum = 0.0;
    for (uint s = 0; s < splits; ++s) {
      const uint one = at + s * (d + 2);
      sum += partial.v[one + column] * exp_exact(partial.v[one + d] - top);
    }
    out_.v[out_at(slot) + column] = sum / all;
  }
}

void main() {
  if (merging) merge();
  else attend();
}
