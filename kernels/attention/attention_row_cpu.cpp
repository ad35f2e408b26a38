// Attention of one row: K and V are streamed in place, bound by memory. Where a decoder's step asks for it, the row's own key and value go to
// the cache on the way.
#include "kernels/attention/attention_steps_cpu.h"
#include "kernels/attention/elements_cpu.h"
#include "kernels/rope/rope_cpu.h"

namespace lava::LAVA_ISA {
namespace {

// Asks for rows of keys or values. While the weights of a block are made, memory would otherwise rest.
template <class T>
HWY_INLINE void prefetch_rows(const View& view, int64_t first, int64_t count, int64_t d) {
  for (int64_t j = 0; j < count; ++j) {
    const std::byte* row = view.at(first + j);
    for (int64_t i = 0; i < T::bytes(d); i += 64) __builtin_prefetch(row + i, 0, 2);
  }
}

// s[g, 0 .. positions) = q[g] . k[position]
template <int group, int positions, class T>
HWY_INLINE void dots(float* s, const float* q, int64_t padded, const View& k, int64_t first, int64_t d) {
  FloatVec sum[group * positions];
#pragma GCC unroll 16
  for (FloatVec& v : sum) v = hn::Zero(df);
  const auto add = [&](int64_t i, int p, FloatVec key) HWY_ATTR {
#pragma GCC unroll 16
    for (int g = 0; g < group; ++g) sum[g * positions + p] = hn::MulAdd(load(q + g * padded + i), key, sum[g * positions + p]);
  };
  constexpr int n = T::together;
  int64_t i = 0;
  for (; i + n * lanes <= d; i += n * lanes) {
#pragma GCC unroll 16
    for (int p = 0; p < positions; ++p) {
      FloatVec key[n];
      T::template vectors<n>(k.at(first + p), i, key);
#pragma GCC unroll 16
      for (int c = 0; c < n; ++c) add(i + c * lanes, p, key[c]);
    }
  }
  if (i < d) {
    for (int p = 0; p < positions; ++p) add(i, p, T::part(k.at(first + p), i, d - i));
  }
  if constexpr (group * positions == lanes) {
    HWY_ALIGN float all[lanes];
    store(sums_of(sum), all);
    for (int g = 0; g < group; ++g) std::memcpy(s + g * block, all + g * positions, positions * sizeof(float));
  } else {
    for (int g = 0; g < group; ++g) {
      for (int p = 0; p < positions; ++p) s[g * block + p] = sum_of(sum[g * positions + p]);
    }
  }
}

// o[g, columns] = o * correction + sum of s[g, j] v[j]; `part` < lanes: the only column has that many values.
template <int group, int columns, class T>
HWY_INLINE void weigh(float* o, const float* s, const float* correction, int64_t padded, const View& v, int64_t first, int64_t count, int64_t column,
                      int64_t part, const View* next) {
  FloatVec sum[group][columns];
  for (int g = 0; g < group; ++g) {
    for (int c = 0; c < columns; ++c) sum[g][c] = hn::Mul(load(o + g * padded + column + c * lanes), splat(correction[g]));
  }
  for (int64_t j = 0; j < count; ++j) {
    const std::byte* row = v.at(first + j);
    if (next) prefetch_rows<T>(*next, first + block + j, 1, columns * lanes);
    FloatVec value[columns];
    if (columns == 1 && part < lanes) {
      value[0] = T::part(row, column, part);
    } else {
      constexpr int n = T::together < columns ? T::together : columns;
      for (int c = 0; c < columns; c += n) T::template vectors<n>(row, column + c * lanes, value + c);
    }
    for (int g = 0; g < group; ++g) {
      const FloatVec weight = splat(s[g * block + j]);
      for (int c = 0; c < columns; ++c) sum[g][c] = hn::MulAdd(weight, value[c], sum[g][c]);
    }
  }
  for (int g = 0; g < group; ++g) {
    for (int c = 0; c < columns; ++c) store(sum[g][c], o + g * padded + column + c * lanes);
  }
}

struct Heads {  // query heads of one key head, with their state
  int64_t group, d, padded;
  float *q, *scores, *o, *m, *l;
};

// One block of keys for `group` of the heads, beginning with head `g`. The first heads ask for what the others will find in the cache.
template <int group, class T>
void attend_block(const Heads& h, int64_t g, const View& k, const View& v, int64_t first, int64_t count) {
  constexpr int together = lanes >= group ? lanes / group : 1;
  constexpr int columns = group >= 8 && wide == 2 ? 1 : group >= 8 ? 2 : group == 1 && wide == 4 ? 8 : wide;
  const float* q = h.q + g * h.padded;
  int64_t j = 0;
  for (; j + together <= count; j += together) {
    if (g == 0) prefetch_rows<T>(v, first + j, together, h.d);
    dots<group, together, T>(h.scores + j, q, h.padded, k, first + j, h.d);
  }
  for (; j < count; ++j) dots<group, 1, T>(h.scores + j, q, h.padded, k, first + j, h.d);
  float correction[group];
  for (int i = 0; i < group; ++i) correction[i] = softmax_step(h.scores + i * block, count, h.m[g + i], h.l + (g + i) * lanes);
  float* o = h.o + g * h.padded;
  int64_t column = 0;
  for (; column + columns * lanes <= h.d; column += columns * lanes) {
    View next{k.data + T::bytes(column), k.stride};
    weigh<group, columns, T>(o, h.scores, correction, h.padded, v, first, count, column, lanes, g == 0 ? &next : nullptr);
  }
  for (; column < h.d; column += lanes) {
    weigh<group, 1, T>(o, h.scores, correction, h.padded, v, first, count, column, h.d - column < lanes ? h.d - column : lanes, nullptr);
  }
}

// Queries of one key head, rotated where that is left to this op, in the units of the scores.
void start_heads(const AttentionArgs& a, const QkvRopeStoreArgs* rope, const Heads& h, int64_t kv_head, int64_t past) {
  const FloatVec scale = splat(a.scale * log2_e);
  for (int64_t g = 0; g < h.group; ++g) {
    float* own = h.q + g * h.padded;
    const float* q = a.q.as<float>() + (kv_head * h.group + g) * a.q.stride[1];
    for (int64_t i = h.d; i < h.padded; ++i) own[i] = 0;
    if (rope) rotate(*rope, own, q, past);
    map(h.d, own, [=](FloatVec x) HWY_ATTR { return hn::Mul(x, scale); }, rope ? own : q);
    h.m[g] = lowest_score;
  }
}

template <class T>
void attend_span(const AttentionArgs& a, const Heads& h, int64_t kv_head, Span keys) {
  const View k = head_view(a.k, kv_head), v = head_view(a.v, kv_head);
  std::memset(h.o, 0, static_cast<size_t>(h.group * h.padded) * sizeof(float));
  std::memset(h.l, 0, static_cast<size_t>(h.group * lanes) * sizeof(float));
  for (int64_t first = keys.begin; first < keys.end; first += block) {
    const int64_t count = keys.end - first < block ? keys.end - first : block;
    int64_t g = 0;
    for (; g + 8 <= h.group; g += 8) attend_block<8, T>(h, g, k, v, first, count);
    for (; g + 4 <= h.group; g += 4) attend_block<4, T>(h, g, k, v, first, count);
    for (; g + 2 <= h.group; g += 2) attend_block<2, T>(h, g, k, v, first, count);
    for (; g < h.group; ++g) attend_block<1, T>(h, g, k, v, first, count);
  }
}

// How a single row is spread: each key head in `splits` spans of positions, (key head, span) units shared among the lanes.
struct DecodePlan {
  int64_t seen, splits, kv_heads, group, d, padded, unit_floats, shared_floats;

  Span keys(int64_t split) const {
    const auto edge = [&](int64_t i) { return i == splits ? seen : seen * i / splits / 16 * 16; };
    return {edge(split), edge(split + 1)};
  }
  int64_t first_unit(int64_t lane, int64_t count) const { return kv_heads * splits * lane / count; }
  int64_t owner(int64_t unit, int64_t count) const {
    int64_t lane = unit * count / (kv_heads * splits);
    while (first_unit(lane + 1, count) <= unit) ++lane;
    while (first_unit(lane, count) > unit) --lane;
    return lane;
  }
  bool fits(int64_t units) const { return (shared_floats + units * unit_floats) * static_cast<int64_t>(sizeof(float)) <= static_cast<int64_t>(Lane::scratch_bytes); }
};

DecodePlan plan_decode(const AttentionArgs& a, int64_t past, int64_t count) {
  DecodePlan p{};
  p.seen = a.causal ? past + 1 : a.k.extent[1];
  p.kv_heads = a.k.extent[0], p.group = a.q.extent[1] / p.kv_heads, p.d = a.q.extent[2], p.padded = round_up(p.d, lanes);
  p.unit_floats = p.group * (p.padded + lanes) + round_up(p.group, lanes);       // o, l, m
  p.shared_floats = p.group * p.padded + 8 * block;  // q, scores
  int64_t divisor = count;
  for (int64_t rest = p.kv_heads; rest != 0;) {  // greatest common divisor
    const int64_t next = divisor % rest;
    divisor = rest, rest = next;
  }
  p.splits = count / divisor;
  const int64_t units = (p.kv_heads * p.splits + count - 1) / count;
  if (p.seen / p.splits < 32 || !p.fits(units)) p.splits = 1;
  return p;
}

Heads unit_state(const DecodePlan& p, std::byte* scratch, int64_t unit) {
  auto* shared = reinterpret_cast<float*>(scratch);
  float* state = shared + p.shared_floats + unit * p.unit_floats;
  const int64_t outputs = p.group * p.padded;
  return {p.group, p.d, p.padded, shared, shared + outputs, state, state + outputs + p.group * lanes, state + outputs};
}

// out = sum of o 2^(m - highest) / sum of l 2^(m - highest) over the spans of one query head
void merge_spans(const AttentionArgs& a, const DecodePlan& p, const Lane& lane, int64_t head) {
  const int64_t kv_head = head / p.group, g = head % p.group;
  const auto state = [&](int64_t split) {
    const int64_t unit = kv_head * p.splits + split, owner = p.owner(unit, lane.count);
    return unit_state(p, lane.scratch_of(static_cast<int>(owner)), unit - p.first_unit(owner, lane.count));
  };
  float highest = lowest_score, total = 0;
  for (int64_t s = 0; s < p.splits; ++s) highest = state(s).m[g] > highest ? state(s).m[g] : highest;
  float* out = a.out.as<float>() + head * a.out.stride[1];
  for (int64_t s = 0; s < p.splits; ++s) {
    const Heads h = state(s);
    const float weight = hn::GetLane(exp2_negative(splat(h.m[g] - highest)));
    total += weight * sum_of(load(h.l + g * lanes));
    const float* o = h.o + g * p.padded;
    for (int64_t i = 0; i < p.d; ++i) out[i] = (s == 0 ? 0 : out[i]) + o[i] * weight;
  }
  write_out(out, out, total, p.d);
}

// Key and value of this position to the cache, by the lane whose span ends there. `key`: room for a head.
void store_position(const QkvRopeStoreArgs& a, int64_t kv_head, int64_t past, float* key) {
  rotate(a, key, a.k.as<float>() + kv_head * a.k.stride[1], past);
  write_cache(a.k_cache, kv_head, past, key);
  write_cache(a.v_cache, kv_head, past, a.v.as<float>() + kv_head * a.v.stride[1]);
}

void attend_units(const AttentionArgs& a, const QkvRopeStoreArgs* rope, const DecodePlan& p, const Lane& lane) {
  const int64_t begin = p.first_unit(lane.index, lane.count), end = p.first_unit(lane.index + 1, lane.count);
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t kv_head = unit / p.splits;
    const Heads h = unit_state(p, lane.scratch, p.splits == 1 ? 0 : unit - begin);
    const Span keys = p.keys(unit % p.splits);
    if (rope && keys.end == p.seen) store_position(*rope, kv_head, p.seen - 1, h.q);
    start_heads(a, rope, h, kv_head, p.seen - 1);
    with_elements(a.k.dtype, [&]<class T>() { attend_span<T>(a, h, kv_head, keys); });
    if (p.splits > 1) continue;
    for (int64_t g = 0; g < p.group; ++g) {
      write_out(a.out.as<float>() + (kv_head * p.group + g) * a.out.stride[1], h.o + g * p.padded, sum_of(load(h.l + g * lanes)), p.d);
    }
  }
  if (p.splits == 1) return;
  lane.sync();
  const auto [first, last] = lane.share(p.kv_heads * p.group);
  for (int64_t head = first; head < last; ++head) merge_spans(a, p, lane, head);
}

}  // namespace

bool attend_row(const AttentionArgs& a, const QkvRopeStoreArgs* rope, int64_t past, const Lane& lane) {
  const DecodePlan plan = plan_decode(a, past, lane.count);
  if (!plan.fits(1)) return false;
  attend_units(a, rope, plan, lane);
  return true;
}

}  // namespace lava::LAVA_ISA
