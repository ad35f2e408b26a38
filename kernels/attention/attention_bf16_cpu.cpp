// Attention of a vision tower in BF16, with softmax in float32: all rows see all keys. K and V of a head are packed once into the lane's
// scratch; then tiles of 6 rows meet all keys, which needs no online softmax.
#include "kernels/attention/attention_cpu.h"
#include "kernels/cpu/bf16_pairs.h"
#if LAVA_BF16_DOTS
#include "kernels/cpu/register_tile.h"
#include "kernels/cpu/simd_math.h"

namespace lava::LAVA_ISA {
namespace {

// One head in a lane's scratch.
struct Head {
  int64_t keys, d;
  int64_t columns, d_columns;      // padded to vectors
  int64_t d_pairs, key_pairs;      // padded to vectors of pairs
  uint32_t *k, *v, *q, *weights;   // [d_pairs][columns], [key_pairs][d_columns], [6][d_pairs], [6][key_pairs]
  float *scores, *o;               // [6][2 key_pairs], [6][d_columns]

  Head(int64_t keys_, int64_t d_, std::byte* scratch)
      : keys(keys_), d(d_), columns(round_up(keys_, 16)), d_columns(round_up(d_, 16)), d_pairs(round_up(d_, 32) / 2), key_pairs(round_up(keys_, 32) / 2) {
    k = reinterpret_cast<uint32_t*>(scratch);
    v = k + d_pairs * columns;
    q = v + key_pairs * d_columns;
    weights = q + tile_tokens * d_pairs;
    scores = reinterpret_cast<float*>(weights + tile_tokens * key_pairs);
    o = scores + tile_tokens * 2 * key_pairs;
  }
  int64_t bytes() const { return reinterpret_cast<std::byte*>(o + tile_tokens * d_columns) - reinterpret_cast<std::byte*>(k); }
};

struct Rows {  // of one head
  const float* data;
  int64_t stride;
};
Rows rows_of(const Tensor& t, int64_t head, int head_axis, int row_axis) { return {t.as<float>() + head * t.stride[head_axis], t.stride[row_axis]}; }

void pack_keys(const Head& h, const Rows& k) {
  for (int64_t j = 0; j < h.columns; j += 16) {
    for (int64_t p = 0; p < h.d_pairs; p += 16) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) r[i] = j + i < h.keys ? pairs_at(k.data + (j + i) * k.stride + 2 * p, h.d - 2 * p) : _mm512_setzero_si512();
      transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) _mm512_storeu_si512(h.k + (p + i) * h.columns + j, r[i]);
    }
  }
}

// Pairs of neighbouring positions, column by column.
void pack_values(const Head& h, const Rows& v) {
  const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t j = 0; j < h.key_pairs; ++j) {
    for (int64_t c = 0; c < h.d_columns; c += 16) {
      const auto mask = static_cast<__mmask16>(h.d - c >= 16 ? 0xffff : (1u << (h.d - c)) - 1);
      const auto row = [&](int64_t position) HWY_ATTR { return _mm512_maskz_loadu_ps(position < h.keys ? mask : __mmask16{0}, v.data + position * v.stride + c); };
      _mm512_storeu_si512(h.v + j * h.d_columns + c, _mm512_permutexvar_epi16(interleave, pairs_of(row(2 * j), row(2 * j + 1))));
    }
  }
}

// Scores of one row (in units of log2) to BF16 weights, not yet divided by their sum, which is returned.
float softmax_row(const Head& h, int64_t row) {
  float* s = h.scores + row * 2 * h.key_pairs;
  for (int64_t j = h.keys; j < 2 * h.key_pairs; ++j) s[j] = lowest_score;
  FloatVec highest = load(s);
  for (int64_t j = lanes; j < 2 * h.key_pairs; j += lanes) highest = hn::Max(highest, load(s + j));
  const FloatVec m = splat(max_of(highest));
  FloatVec sum = hn::Zero(df);
  for (int64_t p = 0; p < h.key_pairs; p += 16) {
    const FloatVec low = exp2_negative(hn::Sub(load(s + 2 * p), m)), high = exp2_negative(hn::Sub(load(s + 2 * p + 16), m));
    sum = hn::Add(sum, hn::Add(low, high));
    _mm512_storeu_si512(h.weights + row * h.key_pairs + p, pairs_of(low.raw, high.raw));
  }
  return sum_of(sum);
}

void run_tile(const Head& h, const AttentionArgs& a, int64_t head, int64_t first, int64_t tokens) {
  const Rows q = rows_of(a.q, head, 1, 0);
  const __m512 scale = _mm512_set1_ps(a.scale * log2_e);
  for (int64_t t = 0; t < tokens; ++t) {
    const float* row = q.data + (first + t) * q.stride;
    for (int64_t p = 0; p < h.d_pairs; p += 16) {
      const auto part = [&](int64_t i) HWY_ATTR {
        const int64_t left = h.d - i;
        return _mm512_mul_ps(scale, _mm512_maskz_loadu_ps(static_cast<__mmask16>(left >= 16 ? 0xffff : left <= 0 ? 0 : (1u << left) - 1), row + i));
      };
      _mm512_storeu_si512(h.q + t * h.d_pairs + p, pairs_of(part(2 * p), part(2 * p + 16)));
    }
  }
  multiply_columns<Bf16Product>(h.k, h.columns, h.columns, (h.d + 1) / 2, h.q, h.d_pairs, tokens, h.scores, 2 * h.key_pairs, h.columns, false);
  float sum[tile_tokens];
  for (int64_t t = 0; t < tokens; ++t) sum[t] = softmax_row(h, t);
  multiply_columns<Bf16Product>(h.v, h.d_columns, h.d_columns, (h.keys + 1) / 2, h.weights, h.key_pairs, tokens, h.o, h.d_columns, h.d_columns, false);
  for (int64_t t = 0; t < tokens; ++t) {
    const FloatVec factor = splat(1.0f / sum[t]);
    float* out = a.out.as<float>() + (first + t) * a.out.stride[0] + head * a.out.stride[1];
    map(h.d, out, [=](FloatVec x) HWY_ATTR { return hn::Mul(x, factor); }, h.o + t * h.d_columns);
  }
}

}  // namespace

bool attends_in_bf16(const AttentionArgs& a) {
  if (a.precision == Precision::exact || a.causal || a.k.dtype != DType::f32 || a.q.extent[0] < tile_tokens) return false;
  return Head(a.k.extent[1], a.q.extent[2], nullptr).bytes() <= static_cast<int64_t>(Lane::scratch_bytes);
}

// Heads are shared among the lanes; where there are fewer, lanes share the rows of a head, each packing it.
void attend_in_bf16(const AttentionArgs& a, const Lane& lane) {
  const int64_t rows = a.q.extent[0], heads = a.q.extent[1], group = heads / a.k.extent[0];
  const int64_t shares = heads >= lane.count ? 1 : (lane.count + heads - 1) / heads;
  const Head h(a.k.extent[1], a.q.extent[2], lane.scratch);
  const Span items = lane.share(heads * shares);
  for (int64_t item = items.begin; item < items.end; ++item) {
    const int64_t head = item / shares, share = item % shares, begin = rows * share / shares, end = rows * (share + 1) / shares;
    pack_keys(h, rows_of(a.k, head / group, 0, 1));
    pack_values(h, rows_of(a.v, head / group, 0, 1));
    for (int64_t i = begin; i < end; i += tile_tokens) run_tile(h, a, head, i, end - i < tile_tokens ? end - i : tile_tokens);
  }
}

}  // namespace lava::LAVA_ISA
#else
bool lava::LAVA_ISA::attends_in_bf16(const AttentionArgs&) { return false; }
void lava::LAVA_ISA::attend_in_bf16(const AttentionArgs&, const Lane&) {}
#endif
