// Softmax is online: keys come in blocks of 64, each row keeps its maximum m, its sum l and its unnormalised output o.
// Scores are in units of log2, so that weights are powers of two. Several rows: K and V of a block are packed once and meet
// tiles of 6 rows (all query heads of a key head are rows). One row: K and V are streamed in place, bound by memory.
#include "kernels/attention/attention_cpu.h"

#include "kernels/attention/elements_cpu.h"
#include "kernels/cpu/simd_math.h"
#include "kernels/lane.h"

namespace lava::reference {
void attention(const void* args, const Lane& lane);
}

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t block = 64;    // keys
constexpr int tile = 6;          // rows
constexpr int wide = vector_registers == 32 ? 4 : 2;  // vectors beside each other: tile * wide accumulators fit the registers

// Masks scores from `limit` on, turns them into weights, updates m and l; returns what the old output must be multiplied with.
HWY_INLINE float softmax_step(float* s, int64_t limit, float& m, float* l) {
  if (limit < block) {
    const auto index = hn::Iota(df, 0);
    for (int64_t j = limit / lanes * lanes; j < block; j += lanes) {
      const auto hidden = hn::Ge(hn::Add(index, splat(static_cast<float>(j))), splat(static_cast<float>(limit)));
      store(hn::IfThenElse(hidden, splat(lowest_score), load(s + j)), s + j);
    }
  }
  FloatVec highest = load(s);
  for (int64_t j = lanes; j < block; j += lanes) highest = hn::Max(highest, load(s + j));
  const float new_m = max_of(hn::Max(highest, splat(m)));
  const float correction = new_m == m ? 1.0f : hn::GetLane(exp2_negative(splat(m - new_m)));
  m = new_m;
  FloatVec sum = hn::Mul(load(l), splat(correction));
  for (int64_t j = 0; j < block; j += lanes) {
    const FloatVec weight = exp2_negative(hn::Sub(load(s + j), splat(new_m)));
    store(weight, s + j);
    sum = hn::Add(sum, weight);
  }
  store(sum, l);
  return correction;
}

void write_out(float* out, const float* o, float l, int64_t d) {
  const FloatVec factor = splat(1.0f / l);
  map(d, out, [=](FloatVec x) HWY_ATTR { return hn::Mul(x, factor); }, o);
}

// ---- several rows

// keys [64, d] -> [d, 64]; columns from `count` on become zeros.
template <class T>
void pack_keys(float* packed, const View& k, int64_t first, int64_t count, int64_t d) {
  HWY_ALIGN float quad[4 * lanes];
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    const std::byte* rows[4] = {k.at(first + j), k.at(first + j + 1), k.at(first + j + 2), k.at(first + j + 3)};
    int64_t i = 0;
    for (; i + lanes <= d; i += lanes) {
      hn::StoreInterleaved4(vector_at<T>(rows[0], i), vector_at<T>(rows[1], i), vector_at<T>(rows[2], i), vector_at<T>(rows[3], i), df, quad);
      for (int64_t t = 0; t < lanes; ++t) std::memcpy(packed + (i + t) * block + j, quad + 4 * t, 16);
    }
    for (; i < d; ++i) {
      for (int r = 0; r < 4; ++r) packed[i * block + j + r] = T::one(rows[r], i);
    }
  }
  for (; j < block; ++j) {
    for (int64_t i = 0; i < d; ++i) packed[i * block + j] = j < count ? T::one(k.at(first + j), i) : 0;
  }
}

// values [count, d] -> float32 [count, padded]
template <class T>
void pack_values(float* packed, const View& v, int64_t first, int64_t count, int64_t d, int64_t padded) {
  for (int64_t j = 0; j < count; ++j) {
    const std::byte* row = v.at(first + j);
    int64_t i = 0;
    for (; i + lanes <= d; i += lanes) store(vector_at<T>(row, i), packed + j * padded + i);
    if (i < d) store(T::part(row, i, d - i), packed + j * padded + i);
  }
}

// s[6, 64] = q[d, 6]^T k[d, 64]
HWY_INLINE void tile_scores(float* s, const float* q, const float* k, int64_t d) {
  for (int64_t column = 0; column < block; column += wide * lanes) {
    FloatVec sum[tile][wide];
    for (auto& row : sum) {
      for (FloatVec& v : row) v = hn::Zero(df);
    }
    for (int64_t i = 0; i < d; ++i) {
      FloatVec key[wide];
      for (int c = 0; c < wide; ++c) key[c] = load(k + i * block + column + c * lanes);
      for (int r = 0; r < tile; ++r) {
        const FloatVec query = splat(q[i * tile + r]);
        for (int c = 0; c < wide; ++c) sum[r][c] = hn::MulAdd(query, key[c], sum[r][c]);
      }
    }
    for (int r = 0; r < tile; ++r) {
      for (int c = 0; c < wide; ++c) store(sum[r][c], s + r * block + column + c * lanes);
    }
  }
}

// o[6, columns] = o * correction + s[6, count] v[count, columns]
template <int columns>
HWY_INLINE void tile_values(float* o, const float* s, const float* correction, const float* v, int64_t count, int64_t padded) {
  FloatVec sum[tile][columns];
  for (int r = 0; r < tile; ++r) {
    for (int c = 0; c < columns; ++c) sum[r][c] = hn::Mul(load(o + r * padded + c * lanes), splat(correction[r]));
  }
  for (int64_t j = 0; j < count; ++j) {
    FloatVec value[columns];
    for (int c = 0; c < columns; ++c) value[c] = load(v + j * padded + c * lanes);
    for (int r = 0; r < tile; ++r) {
      const FloatVec weight = splat(s[r * block + j]);
      for (int c = 0; c < columns; ++c) sum[r][c] = hn::MulAdd(weight, value[c], sum[r][c]);
    }
  }
  for (int r = 0; r < tile; ++r) {
    for (int c = 0; c < columns; ++c) store(sum[r][c], o + r * padded + c * lanes);
  }
}

void tile_output(float* o, const float* s, const float* correction, const float* v, int64_t count, int64_t padded) {
  int64_t i = 0;
  for (; i + wide * lanes <= padded; i += wide * lanes) tile_values<wide>(o + i, s, correction, v + i, count, padded);
  for (; i < padded; i += lanes) tile_values<1>(o + i, s, correction, v + i, count, padded);
}

// The rows of one key head that a lane works on together, in its scratch.
struct Chunk {
  const AttentionArgs& a;
  int64_t past, kv_head, first_row, rows;  // query rows; each stands for `group` rows of the tiles
  int64_t d, padded, group;
  float *keys, *values, *scores, *q, *o, *m, *l;

  int64_t count() const { return rows * group; }
  int64_t tiles() const { return (count() + tile - 1) / tile; }
  int64_t visible(int64_t i) const {  // keys that tile row i may see
    const int64_t row = first_row + (i < count() ? i : count() - 1) / group;
    return a.causal ? past + row + 1 : a.k.extent[1];
  }
  HWY_INLINE float* row_of(const Tensor& t, int64_t i) const {
    return t.as<float>() + (first_row + i / group) * t.stride[0] + (kv_head * group + i % group) * t.stride[1];
  }
};

void start_chunk(const Chunk& c) {
  const float scale = c.a.scale * log2_e;
  for (int64_t i = 0; i < c.tiles() * tile; ++i) {
    float* q = c.q + i / tile * tile * c.d + i % tile;
    const float* row = c.row_of(c.a.q, i < c.count() ? i : 0);
    for (int64_t k = 0; k < c.d; ++k) q[k * tile] = row[k] * scale;
    c.m[i] = lowest_score;
  }
  std::memset(c.o, 0, static_cast<size_t>(c.tiles() * tile * c.padded) * sizeof(float));
  std::memset(c.l, 0, static_cast<size_t>(c.tiles() * tile * lanes) * sizeof(float));
}

template <class T>
void run_chunk(const Chunk& c) {
  start_chunk(c);
  const View k = head_view(c.a.k, c.kv_head), v = head_view(c.a.v, c.kv_head);
  const int64_t end = c.visible(c.count() - 1);
  for (int64_t first = 0; first < end; first += block) {
    const int64_t count = end - first < block ? end - first : block;
    pack_keys<T>(c.keys, k, first, count, c.d);
    pack_values<T>(c.values, v, first, count, c.d, c.padded);
    for (int64_t t = 0; t < c.tiles(); ++t) {
      const int64_t most = c.visible(t * tile + tile - 1) - first;  // keys of the block that the last row sees
      if (most <= 0) continue;
      tile_scores(c.scores, c.q + t * tile * c.d, c.keys, c.d);
      float correction[tile];
      for (int r = 0; r < tile; ++r) {
        const int64_t i = t * tile + r, seen = c.visible(i) - first, limit = seen < 0 ? 0 : seen < count ? seen : count;
        correction[r] = softmax_step(c.scores + r * block, limit, c.m[i], c.l + i * lanes);
      }
      tile_output(c.o + t * tile * c.padded, c.scores, correction, c.values, most < count ? most : count, c.padded);
    }
  }
  for (int64_t i = 0; i < c.count(); ++i) write_out(c.row_of(c.a.out, i), c.o + i * c.padded, sum_of(load(c.l + i * lanes)), c.d);
}

// Lanes take chunks of rows in turn, the heavy (late) ones first, each second round backwards: loads come out even.
void attend_rows(const AttentionArgs& a, int64_t past, const Lane& lane, int64_t capacity) {
  const int64_t rows = a.q.extent[0], kv_heads = a.k.extent[0], group = a.q.extent[1] / kv_heads, d = a.q.extent[2], padded = round_up(d, lanes);
  const int64_t most = capacity / group, least = (48 + group - 1) / group, even = rows * kv_heads / (4 * lane.count);
  int64_t step = even < least ? least : even;
  if (step > most) step = most;
  const int64_t chunks = (rows + step - 1) / step, items = chunks * kv_heads, slots = capacity / tile * tile;
  float* p = reinterpret_cast<float*>(lane.scratch);
  Chunk c{a, past, 0, 0, 0, d, padded, group, p, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  c.values = c.keys + block * d;
  c.scores = c.values + block * padded;
  c.o = c.scores + tile * block;
  c.l = c.o + slots * padded;
  c.q = c.l + slots * lanes;
  c.m = c.q + slots * d;
  for (int64_t round = 0; round * lane.count < items; ++round) {
    const int64_t item = round * lane.count + (round % 2 ? lane.count - 1 - lane.index : lane.index);
    if (item >= items) continue;
    c.kv_head = item % kv_heads;
    c.first_row = (chunks - 1 - item / kv_heads) * step;
    c.rows = rows - c.first_row < step ? rows - c.first_row : step;
    with_elements(a.k.dtype, [&]<class T>() { run_chunk<T>(c); });
  }
}

// Tile rows that fit the scratch, a multiple of 6; 0: d is too large.
int64_t chunk_capacity(int64_t d) {
  const int64_t padded = round_up(d, lanes), floats = static_cast<int64_t>(Lane::scratch_bytes / sizeof(float));
  const int64_t left = floats - block * (d + padded) - tile * block, fit = left / (d + padded + lanes + 1) / tile * tile;
  return fit < 0 ? 0 : fit < 252 ? fit : 252;
}

// ---- one row

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

template <class T>
void attend_span(const AttentionArgs& a, const Heads& h, int64_t kv_head, Span keys) {
  const float scale = a.scale * log2_e;
  const View k = head_view(a.k, kv_head), v = head_view(a.v, kv_head);
  for (int64_t g = 0; g < h.group; ++g) {
    const float* q = a.q.as<float>() + (kv_head * h.group + g) * a.q.stride[1];
    for (int64_t i = 0; i < h.padded; ++i) h.q[g * h.padded + i] = i < h.d ? q[i] * scale : 0;
    h.m[g] = lowest_score;
  }
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

void attend_row(const AttentionArgs& a, const DecodePlan& p, const Lane& lane) {
  const int64_t begin = p.first_unit(lane.index, lane.count), end = p.first_unit(lane.index + 1, lane.count);
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t kv_head = unit / p.splits;
    const Heads h = unit_state(p, lane.scratch, p.splits == 1 ? 0 : unit - begin);
    const Span keys = p.keys(unit % p.splits);
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

void attention(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const int64_t past = a.step ? a.step->past : 0, group = a.q.extent[1] / a.k.extent[0], capacity = chunk_capacity(a.q.extent[2]);
  LAVA_CHECK(!a.causal || (past >= 0 && past + a.q.extent[0] <= a.k.extent[1]));
  if (attends_in_bf16(a)) return attend_in_bf16(a, lane);
  if (a.q.extent[0] == 1) {
    const DecodePlan plan = plan_decode(a, past, lane.count);
    if (plan.fits(1)) return attend_row(a, plan, lane);
  }
  if (capacity < tile || capacity < group) return reference::attention(args, lane);  // huge heads: no model has them
  attend_rows(a, past, lane, capacity);
}

}  // namespace lava::LAVA_ISA
