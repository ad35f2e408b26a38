// out = softmax(q k^T scale + mask) v, keys in tiles, the softmax online. A workgroup takes `slots` queries that share a key head: slot s is
// row s / group, head s % group of the group, so decoding reads a key once for all its heads. Long caches with few queries are cut into `splits`
// along the keys; each leaves (sums of d, highest, total) per slot in partial [kv_heads, all slots, splits, d + 2], which attention.comp merges.
// The including shader has group, splits, scale, out_ and partial among its push constants, and defines what is only declared here.
layout(constant_id = 1) const uint d = 64;
layout(constant_id = 2) const uint slots = 16;
layout(constant_id = 3) const uint cache_type = 0;
layout(constant_id = 4) const uint tile = 32;  // keys at a time; a workgroup is whole tiles wide: an invocation stays with one key

const uint chunk = 32;         // columns of keys at a time
const float unseen = -3.0e38;  // a score below all others; not infinite: drivers may assume that nothing is
const uint threads = gl_WorkGroupSize.x;
const uint each = (d + threads - 1) / threads;  // columns of the result per invocation

uint slot_count();
uint keys_of(uint slot);                               // how many it sees
uint out_at(uint slot);                                // where its result begins
void begin_keys(uint first_slot, uint begin, uint end);  // once, before the first tile
void load_queries(uint first_slot, uint c);            // columns c .. c + chunk, zeros behind the last
float query_value(uint s, uint c, uint n);             // column c + n of slot first_slot + s
float key_value(uint position, uint column);
float value_value(uint position, uint column);

shared float k_chunk[tile * (chunk + 1)];
shared float weights[slots * tile];  // first scores, then exp(score - highest)
shared float highest[slots], total[slots], rescale[slots];

// weights[s][p] = q_s k_p scale for the tile at `base`; keys that a slot does not see are `unseen`.
// Loops that are long once unrolled are kept as loops: some compilers take minutes over them.
void score(uint first_slot, uint base, uint end) {
  const uint t = gl_LocalInvocationID.x, count = (slots * tile + threads - 1) / threads, key = t % tile;
  float sum[(slots * tile + gl_WorkGroupSize.x - 1) / gl_WorkGroupSize.x];
  for (uint i = 0; i < count; ++i) sum[i] = 0.0;
  [[dont_unroll]] for (uint c = 0; c < d; c += chunk) {
    load_queries(first_slot, c);
    for (uint e = t; e < tile * chunk; e += threads) {
      const uint position = min(base + e / chunk, end - 1), column = c + e % chunk;
      k_chunk[e / chunk * (chunk + 1) + e % chunk] = column < d ? key_value(position, column) : 0.0;
    }
    barrier();
    [[dont_unroll]] for (uint n = 0; n < chunk; ++n) {
      const float value = k_chunk[key * (chunk + 1) + n];
      for (uint i = 0; i < count; ++i) sum[i] += query_value(min(t / tile + i * (threads / tile), slots - 1), c, n) * value;
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
  begin_keys(first_slot, begin, end);
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
        const float value = value_value(base + p, column);
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
      if (splits == 1) out_.v[out_at(slot) + column] = sum[i * slots + s] / total[s];
      else partial.v[at + column] = sum[i * slots + s];
    }
    if (splits > 1 && t == 0) partial.v[at + d] = highest[s], partial.v[at + d + 1] = total[s];
  }
}
