// linear with activations and weights in BF16, summed in float32 (VDPBF16PS). A panel of 64 weight rows is written once into the lane's
// scratch as pairs of neighbouring k, [k / 2][64 rows], and meets tiles of rows x tokens held in registers.
#include "kernels/linear/linear_cpu.h"
#if LAVA_BF16_DOTS
#include "kernels/linear/prepared.h"
#include "kernels/linear/unit_cpu.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t panel_rows = 64, panel_pairs = 512;  // 128 KB: stays in the second-level cache while all rows of x pass
constexpr int tile_vectors = 4, tile_tokens = 6;       // 24 accumulators of 32 registers
static_assert(panel_rows * panel_pairs * 4 <= static_cast<int64_t>(Lane::scratch_bytes) / 2);

// Sixteen pairs of neighbouring values from k on, of which `count` values exist; the rest are zeros.
template <DType format>
HWY_INLINE __m512i pairs_at(const std::byte* row, int64_t k, int64_t count) {
  if constexpr (format == DType::bf16) {
    const auto* p = reinterpret_cast<const uint16_t*>(row) + k;
    return count >= 32 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16((__mmask32{1} << count) - 1, p);
  } else if constexpr (format == DType::f16) {
    const auto* p = reinterpret_cast<const uint16_t*>(row) + k;
    const __m512i both = count >= 32 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16((__mmask32{1} << count) - 1, p);
    const __m512 low = _mm512_cvtph_ps(_mm512_castsi512_si256(both)), high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1));
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
  } else {
    const auto* p = reinterpret_cast<const float*>(row) + k;
    const int64_t first = count < 16 ? count : 16, second = count < 16 ? 0 : count < 32 ? count - 16 : 16;
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << first) - 1), p);
    const __m512 high = second == 0 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << second) - 1), p + 16);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
  }
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

// Rows [row0, row0 + count) of W, count a multiple of 16; pairs of k in [k0, k0 + 2 pairs), pairs a multiple of 16.
template <DType format>
void fill_panel(const Matrix& w, int64_t row0, int64_t count, int64_t k0, int64_t pairs, uint32_t* panel) {
  const int64_t row_size = static_cast<int64_t>(w.in) * (format == DType::f32 ? 4 : 2);
  for (int64_t group = 0; group < count; group += 16) {
    for (int64_t p = 0; p < pairs; p += 16) {
      const int64_t k = k0 + 2 * p, left = w.in - k;
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        const int64_t row = row0 + group + i;
        r[i] = row < w.out ? pairs_at<format>(w.data + row * row_size, k, left) : _mm512_setzero_si512();
      }
      transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) _mm512_store_si512(panel + (p + i) * count + group, r[i]);
    }
  }
}

// R vectors of weight rows times T rows of x over `pairs` pairs; x in pairs, x_stride pairs apart.
template <int R, int T>
void tile(const uint32_t* HWY_RESTRICT panel, int64_t stride, int64_t pairs, const uint32_t* HWY_RESTRICT x, int64_t x_stride, float* out,
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
    for (int r = 0; r < R; ++r) w[r] = _mm512_load_si512(panel + p * stride + 16 * r);
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
    for (int r = 0; r < R; ++r) put(VF{sum[r][t]}, out + t * out_stride + r * lanes, valid - r * lanes, add);
  }
}

using Tile = void (*)(const uint32_t*, int64_t, int64_t, const uint32_t*, int64_t, float*, int64_t, int64_t, bool);
template <int R>
constexpr Tile tiles[tile_tokens] = {tile<R, 1>, tile<R, 2>, tile<R, 3>, tile<R, 4>, tile<R, 5>, tile<R, 6>};

// All rows of x against a panel of `count` weight rows; out points at the panel's first output.
void multiply_panel(const LinearPart& part, const uint32_t* panel, int64_t count, int64_t k0, int64_t pairs, float* out, int64_t valid) {
  const int64_t x_stride = bf16_row_pairs(part.weight->in);
  const bool add = part.accumulate || k0 > 0;
  for (int64_t i = 0; i < part.rows; i += tile_tokens) {
    const int64_t tokens = smaller(tile_tokens, part.rows - i);
    const auto* x = reinterpret_cast<const uint32_t*>(part.prepared) + i * x_stride + k0 / 2;
    float* to = out + i * part.out_stride;
    int64_t r = 0;
    for (; r + tile_vectors * lanes <= count; r += tile_vectors * lanes)
      tiles<tile_vectors>[tokens - 1](panel + r, count, pairs, x, x_stride, to + r, part.out_stride, valid - r, add);
    for (; r < count; r += lanes) tiles<1>[tokens - 1](panel + r, count, pairs, x, x_stride, to + r, part.out_stride, valid - r, add);
  }
}

template <DType format>
void multiply(const LinearPart& part) {
  const Matrix& w = *part.weight;
  auto* panel = reinterpret_cast<uint32_t*>(part.scratch);
  const int64_t all = bf16_row_pairs(w.in), panels = (all + panel_pairs - 1) / panel_pairs, step = round_up((all + panels - 1) / panels, 16);
  for (int64_t g = part.group_begin; g < part.group_end; g += panel_rows / 16) {
    const int64_t count = 16 * smaller(panel_rows / 16, part.group_end - g);
    for (int64_t p0 = 0; p0 < all; p0 += step) {
      const int64_t pairs = smaller(step, all - p0);
      fill_panel<format>(w, 16 * g, count, 2 * p0, pairs, panel);
      multiply_panel(part, panel, count, 2 * p0, pairs, part.out + 16 * g, w.out - 16 * g);
    }
  }
}

}  // namespace

void linear_bf16(const LinearPart& part) {
  switch (part.weight->format) {
    case DType::bf16:
      return multiply<DType::bf16>(part);
    case DType::f16:
      return multiply<DType::f16>(part);
    default:
      return multiply<DType::f32>(part);
  }
}

void prepare_bf16_rows(const float* x, int64_t x_stride, int64_t in, int64_t begin, int64_t end, std::byte* prepared) {
  const int64_t pairs = bf16_row_pairs(in);
  for (int64_t i = begin; i < end; ++i) {
    auto* to = reinterpret_cast<uint32_t*>(prepared) + i * pairs;
    for (int64_t p = 0; p < pairs; p += 16)
      _mm512_store_si512(to + p, pairs_at<DType::f32>(reinterpret_cast<const std::byte*>(x + i * x_stride), 2 * p, in - 2 * p));
  }
}

}  // namespace lava::LAVA_ISA
#else
void lava::LAVA_ISA::linear_bf16(const LinearPart& part) { linear_exact(part); }
void lava::LAVA_ISA::prepare_bf16_rows(const float*, int64_t, int64_t, int64_t, int64_t, std::byte*) {}
#endif
