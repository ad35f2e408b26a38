// Attention of one row: K and V are streamed in place, bound by memory. Where a decoder's step asks for it, the row's own key and value go to
// the cache on the way.
#include "kernels/attention/row_steps_cpu.h"
#include "kernels/rope/rope_cpu.h"

namespace lava::LAVA_ISA {
namespace {

// One block for `group` of the heads.
template <int group, class Cache>
void attend_block(const Step& s) {
  Steps<Cache>::template scores<group>(s);
  float correction[group];
  for (int i = 0; i < group; ++i) correction[i] = softmax_step(s.scores(i), s.now.count, s.h.m[s.g + i], s.h.l + (s.g + i) * lanes);
  Steps<Cache>::template weigh<group>(s, correction);
}

// As many of the heads as work together, up to `left`; returns how many.
template <int group, class Cache>
HWY_INLINE int64_t attend_some(const Step& s, int64_t left) {
  if constexpr (group > 1) {
    if (left < group || (!Steps<Cache>::any_group && (group & (group - 1)))) return attend_some<group - 1, Cache>(s, left);
  }
  attend_block<group, Cache>(s);
  return group;
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

// The first block of a span of keys.
template <class Cache>
Block first_block(const AttentionArgs& a, int64_t kv_head, Span keys) {
  return {Cache::keys_of(a.k, kv_head).at(keys.begin), Cache::values_of(a.v, kv_head).at(keys.begin), smaller(keys.end - keys.begin, block)};
}

// `after`: what this lane reads next.
template <class Cache>
void attend_span(const AttentionArgs& a, const Heads& h, int64_t kv_head, Span keys, const Block& after) {
  Steps<Cache>::start(h);
  std::memset(h.o, 0, static_cast<size_t>(h.group * h.padded) * sizeof(float));
  std::memset(h.l, 0, static_cast<size_t>(h.group * lanes) * sizeof(float));
  const int64_t key_bytes = Cache::keys_of(a.k, kv_head).stride, value_bytes = Cache::values_of(a.v, kv_head).stride;
  for (Span left = keys; left.begin < left.end; left.begin += block) {
    const Span rest{left.begin + block, left.end};
    Step step{h, first_block<Cache>(a, kv_head, left), rest.begin < rest.end ? first_block<Cache>(a, kv_head, rest) : after, key_bytes, value_bytes, 0};
    while (step.g < h.group) step.g += attend_some<8, Cache>(step, h.group - step.g);
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
  p.unit_floats = Heads::state_floats(p.group, p.padded), p.shared_floats = Heads::shared_floats(p.group, p.d, p.padded);
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
  return Heads::at(shared, shared + p.shared_floats + unit * p.unit_floats, p.group, p.d, p.padded);
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
    with_layout(a, [&]<class Cache>() {
      const int64_t after = unit + 1;
      attend_span<Cache>(a, h, kv_head, keys, after < end ? first_block<Cache>(a, after / p.splits, p.keys(after % p.splits)) : Block{});
    });
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
