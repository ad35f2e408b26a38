// out = softmax(q k^T scale + mask) v, keys in tiles, the softmax online. A workgroup takes `slots` queries that share a key head: slot s is
// row s / group, head s % group of the group, so decoding reads a key once for all its heads. Long caches with few queries are cut into `splits`
// along the keys; each leaves (sums of d, highest, total) per slot, and a second dispatch (merging) puts them together.
#version 460
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
#include "math.glsl"

layout(constant_id = 1) const uint d = 64;
layout(constant_id = 2) const uint slots = 16;
layout(constant_id = 3) const uint cache_type = 0;
layout(constant_id = 4) const bool causal = true;
layout(constant_id = 5) const bool merging = false;

#include "cache.glsl"

layout(push_constant) uniform Push {
  Floats out_, q, k, v, partial;  // partial [kv_heads, all slots, splits, d + 2]
  Step step;                      // null: `past` holds
  int past;
  uint rows, group, positions, splits;
  float scale;
  uint out_row, out_head, q_row, q_head, k_head, k_position, v_head, v_position;
};

const uint tile = 32, chunk = 32;
const float unseen = -3.0e38;  // a score below all others; not infinite: drivers may assume that nothing is
const uint threads = gl_WorkGroupSize.x;
const uint each = (d + threads - 1) / threads;  // columns of the result per invocation
shared float q_chunk[merging ? 1 : slots * (chunk + 1)];
shared float k_chunk[merging ? 1 : tile * (chunk + 1)];
shared float weights[merging ? 1 : slots * tile];  // first scores, then exp(score - highest)
shared float highest[slots], total[slots], rescale[slots];

uint slot_count() { return rows * group; }
int past_now() { return uvec2(step) == uvec2(0) ? past : step.past; }
uint keys_of(uint slot) { return causal ? min(uint(past_now()) + slot / group + 1, positions) : positions; }
uint query_at(uint slot, uint row_stride, uint head_stride) { return slot / group * row_stride + (gl_WorkGroupID.y * group + slot % group) * head_stride; }

// weights[s][p] = q_s k_p scale for the tile at `base`; keys that a slot does not see are `unseen`. Workgroups are whole tiles wide:
// an invocation stays with one key. Loops that are long once unrolled are kept as loops: some compilers take minutes over them.
void score(uint first_slot, uint base, uint end) {
  const uint t = gl_LocalInvocationID.x, count = (slots * tile + threads - 1) / threads, key = t % tile;
  float sum[(slots * tile + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x];
  for (uint i = 0; i < count; ++i) sum[i] = 0.0;
  [[dont_unroll]] for (uint c = 0; c < d; c += chunk) {
    for (uint e = t; e < slots * chunk; e += threads) {
      const uint slot = min(first_slot + e / chunk, slot_count() - 1), column = c + e % chunk;
      q_chunk[e / chunk * (chunk + 1) + e % chunk] = column < d ? q.v[query_at(slot, q_row, q_head) + column] : 0.0;
    }
    for (uint e = t; e < tile * chunk; e += threads) {
      const uint position = min(base + e / chunk, end - 1), column = c + e % chunk;
      k_chunk[e / chunk * (chunk + 1) + e % chunk] = column < d ? cache_value(k, gl_WorkGroupID.y * k_head + position * k_position + column) : 0.0;
    }
    barrier();
    [[dont_unroll]] for (uint n = 0; n < chunk; ++n) {
      const float value = k_chunk[key * (chunk + 1) + n];
      for (uint i = 0; i < count; ++i) sum[i] += q_chunk[min(t / tile + i * (threads / tile), slots - 1) * (chunk + 1) + n] * value;
    }
    barrier();
  }
  for (uint i = 0; i < count; ++i) {
    const uint e = t + i * threads;
    if (e >= slots * tile) break;
    weights[e] = base + key < min(end, keys_of(min(first_slot + e / tile, slot_count() - 1))) ? sum[i] * scale : unseen;
  }
  barrier();
}

// Takes the tile into each slot's maximum and total, and says how much what stands so far shrinks.
void soften() {
  for (uint s = gl_LocalInvocationID.x; s < slots; s += threads) {
    float top = highest[s], sum = 0.0;
    [[dont_unroll]] for (uint p = 0; p < tile; ++p) top = max(top, weights[s * tile + p]);
    [[dont_unroll]] for (uint p = 0; p < tile; ++p) {
      const float score_ = weights[s * tile + p], weight = score_ > unseen ? exp_exact(score_ - top) : 0.0;
      weights[s * tile + p] = weight;
      sum += weight;
    }
    rescale[s] = exp_exact(highest[s] - top);
    total[s] = total[s] * rescale[s] + sum;
    highest[s] = top;
  }
  barrier();
}

void attend() {
  const uint t = gl_LocalInvocationID.x, first_slot = gl_WorkGroupID.x * slots, last_slot = min(first_slot + slots, slot_count()) - 1;
  const uint seen = keys_of(last_slot), share = ((seen + splits - 1) / splits + tile - 1) / tile * tile;
  const uint begin = min(gl_WorkGroupID.z * share, seen), end = min(begin + share, seen);
  float sum[each * slots];
  for (uint i = 0; i < each * slots; ++i) sum[i] = 0.0;
  for (uint s = t; s < slots; s += threads) highest[s] = unseen, total[s] = 0.0;
  barrier();
  for (uint base = begin; base < end; base += tile) {
    score(first_slot, base, end);
    soften();
    const uint keys = min(tile, end - base);
    for (uint i = 0; i < each; ++i) {
      const uint column = t + i * threads;
      if (column >= d) break;
      for (uint s = 0; s < slots; ++s) sum[i * slots + s] *= rescale[s];
      for (uint p = 0; p < keys; ++p) {
        const float value = cache_value(v, gl_WorkGroupID.y * v_head + (base + p) * v_position + column);
        for (uint s = 0; s < slots; ++s) sum[i * slots + s] += weights[s * tile + p] * value;
      }
    }
    barrier();
  }
  for (uint s = 0; s < slots && first_slot + s < slot_count(); ++s) {
    const uint slot = first_slot + s, at = ((gl_WorkGroupID.y * slot_count() + slot) * splits + gl_WorkGroupID.z) * (d + 2);
    for (uint i = 0; i < each; ++i) {
      const uint column = t + i * threads;
      if (column >= d) break;
      if (splits == 1) out_.v[query_at(slot, out_row, out_head) + column] = sum[i * slots + s] / total[s];
      else partial.v[at + column] = sum[i * slots + s];
    }
    if (splits > 1 && t == 0) partial.v[at + d] = highest[s], partial.v[at + d + 1] = total[s];
  }
}

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
    out_.v[query_at(slot, out_row, out_head) + column] = sum / all;
  }
}

void main() {
  if (merging) merge();
  else attend();
}
