// Products of BF16 pairs summed in float32 (VDPBF16PS): the tile under linear and attention, and what brings values into its form.
// A panel is [pair of k][columns], each entry two neighbouring k of one column. Included only by *_cpu.cpp files where LAVA_BF16_DOTS is 1.
#pragma once
#include "kernels/cpu/simd.h"

#if defined(__AVX512BF16__)
#define LAVA_BF16_DOTS 1

namespace lava::LAVA_ISA {
namespace {

// 32 floats as 16 pairs, in order.
HWY_INLINE __m512i pairs_of(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

// Sixteen pairs of neighbouring floats at p, of which `count` values exist; the rest are zeros.
HWY_INLINE __m512i pairs_at(const float* p, int64_t count) {
  if (HWY_LIKELY(count >= 32)) return pairs_of(_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16));
  const int64_t first = count < 0 ? 0 : count < 16 ? count : 16, second = count < 16 ? 0 : count - 16;
  const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << first) - 1), p);
  const __m512 high = second == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << second) - 1), p + 16);
  return pairs_of(low, high);
}

// r[i] lane j becomes r[j] lane i.
HWY_INLINE void transpose(__m512i (&r)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {  // now whole quarters move
    const __m512i a = _mm512_shuffle_i32x4(r[i], r[4 + i], 0x88), b = _mm512_shuffle_i32x4(r[i], r[4 + i], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0x88), d = _mm512_shuffle_i32x4(r[8 + i], r[12 + i], 0xdd);
    t[i] = _mm512_shuffle_i32x4(a, c, 0x88), t[8 + i] = _mm512_shuffle_i32x4(a, c, 0xdd);
    t[4 + i] = _mm512_shuffle_i32x4(b, d, 0x88), t[12 + i] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) r[i] = t[i];
}

// out[t][r] (+)= sum over pairs of panel[pair][r] x[t][pair], for R vectors of columns and T rows of x; `valid` columns are stored.
template <int R, int T>
void bf16_tile(const uint32_t* HWY_RESTRICT panel, int64_t stride, int64_t pairs, const uint32_t* HWY_RESTRICT x, int64_t x_stride, float* out,
               int64_t out_stride, int64_t valid, bool add) {
  __m512 sum[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) sum[r][t] = _mm512_setzero_ps();
  }
  for (int64_t p = 0; p < pairs; ++p) {
    __m512i w[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) w[r] = _mm512_loadu_si512(panel + p * stride + 16 * r);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const __m512i pair = _mm512_set1_epi32(static_cast<int>(x[t * x_stride + p]));
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sum[r][t] = _mm512_dpbf16_ps(sum[r][t], (__m512bh)w[r], (__m512bh)pair);
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) put(FloatVec{sum[r][t]}, out + t * out_stride + r * lanes, valid - r * lanes, add);
  }
}

constexpr int bf16_vectors = 4, bf16_tokens = 6;  // 24 accumulators of 32 registers

using Bf16Tile = void (*)(const uint32_t*, int64_t, int64_t, const uint32_t*, int64_t, float*, int64_t, int64_t, bool);
template <int R>
constexpr Bf16Tile bf16_tiles[bf16_tokens] = {bf16_tile<R, 1>, bf16_tile<R, 2>, bf16_tile<R, 3>, bf16_tile<R, 4>, bf16_tile<R, 5>, bf16_tile<R, 6>};

// Up to bf16_tokens rows of x against all `columns` (a multiple of 16) of a panel.
HWY_INLINE void multiply_columns(const uint32_t* panel, int64_t columns, int64_t stride, int64_t pairs, const uint32_t* x, int64_t x_stride, int64_t tokens, float* out,
                                 int64_t out_stride, int64_t valid, bool add) {
  int64_t r = 0;
  for (; r + bf16_vectors * lanes <= columns; r += bf16_vectors * lanes)
    bf16_tiles<bf16_vectors>[tokens - 1](panel + r, stride, pairs, x, x_stride, out + r, out_stride, valid - r, add);
  for (; r < columns; r += lanes) bf16_tiles<1>[tokens - 1](panel + r, stride, pairs, x, x_stride, out + r, out_stride, valid - r, add);
}

}  // namespace
}  // namespace lava::LAVA_ISA
#else
#define LAVA_BF16_DOTS 0  // that precision is computed as the exact one
#endif
