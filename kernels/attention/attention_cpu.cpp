// Attention of several rows: K and V of a block of keys are packed once and meet tiles of 6 rows (all query heads of a key head are rows).
#include "kernels/attention/attention_steps_cpu.h"

namespace lava::reference {
void attention(const void* args, const Lane& lane);
}

namespace lava::LAVA_ISA {
namespace {

constexpr int tile = 6;  // rows: with `wide` vectors of each, accumulators fit the registers

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

template <class Cache>
void run_chunk(const Chunk& c) {
  start_chunk(c);
  const int64_t end = c.visible(c.count() - 1);
  for (int64_t first = 0; first < end; first += block) {
    const int64_t count = end - first < block ? end - first : block;
    Cache::pack_keys(c.keys, c.a.k, c.kv_head, first, count);
    Cache::Values::pack_values(c.values, c.a.v, c.kv_head, first, count, c.padded);
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
    with_layout(a, [&]<class Cache>() { run_chunk<Cache>(c); });
  }
}

// Tile rows that fit the scratch, a multiple of 6; 0: d is too large.
int64_t chunk_capacity(int64_t d) {
  const int64_t padded = round_up(d, lanes), floats = static_cast<int64_t>(Lane::scratch_bytes / sizeof(float));
  const int64_t left = floats - block * (d + padded) - tile * block, fit = left / (d + padded + lanes + 1) / tile * tile;
  return fit < 0 ? 0 : fit < 252 ? fit : 252;
}

}  // namespace

void attention(const void* args, const Lane& lane) {
  const auto& a = *static_cast<const AttentionArgs*>(args);
  const int64_t past = a.step ? a.step->past : 0, group = a.q.extent[1] / a.k.extent[0], capacity = chunk_capacity(a.q.extent[2]);
  LAVA_CHECK(!a.causal || (past >= 0 && past + a.q.extent[0] <= a.k.extent[1]));
  if (attends_in_bf16(a)) return attend_in_bf16(a, lane);
  if (a.q.extent[0] == 1 && attend_row(a, nullptr, past, lane)) return;
  if (capacity < tile || capacity < group) return reference::attention(args, lane);  // huge heads: no model has them
  attend_rows(a, past, lane, capacity);
}

}  // namespace lava::LAVA_ISA
