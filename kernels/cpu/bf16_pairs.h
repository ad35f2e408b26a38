// Products of BF16 pairs summed in float32 (VDPBF16PS): what linear and attention share, and what brings values into its form.
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

// What a tile of pairs multiplies (kernels/cpu/register_tile.h): columns and rows are [pair].
struct Bf16Product {
  using Value = uint32_t;
  static HWY_INLINE __m512i load(const Value* p) { return _mm512_loadu_si512(p); }
  static HWY_INLINE __m512i splat(Value pair) { return _mm512_set1_epi32(static_cast<int>(pair)); }
  static HWY_INLINE FloatVec add(FloatVec sum, __m512i a, __m512i b) { return FloatVec{_mm512_dpbf16_ps(sum.raw, (__m512bh)a, (__m512bh)b)}; }
};

}  // namespace
}  // namespace lava::LAVA_ISA
#else
#define LAVA_BF16_DOTS 0  // that precision is computed as the exact one
#endif
