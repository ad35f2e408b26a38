// linear with activations and weights in BF16, summed in float32 (VDPBF16PS). A panel of 64 weight rows is written once into the lane's
// scratch as pairs of neighbouring k, [k / 2][64 rows], and meets tiles of rows x tokens held in registers.
#include "kernels/linear/linear_cpu.h"

#include "kernels/cpu/bf16_pairs.h"
#if LAVA_BF16_DOTS
#include "kernels/cpu/register_tile.h"
#include "kernels/linear/prepared.h"
#include "kernels/linear/unit_cpu.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t panel_rows = 64, panel_pairs = 512;  // 128 KB: stays in the second-level cache while all rows of x pass
static_assert(panel_rows * panel_pairs * 4 <= static_cast<int64_t>(Lane::scratch_bytes) / 2);

// Sixteen pairs of neighbouring values from k on, of which `count` values exist; the rest are zeros.
template <DType format>
HWY_INLINE __m512i weights_at(const std::byte* row, int64_t k, int64_t count) {
  if constexpr (format == DType::bf16) {
    const auto* p = reinterpret_cast<const uint16_t*>(row) + k;
    return count >= 32 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16((__mmask32{1} << count) - 1, p);
  } else if constexpr (format == DType::f16) {
    const auto* p = reinterpret_cast<const uint16_t*>(row) + k;
    const __m512i both = count >= 32 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16((__mmask32{1} << count) - 1, p);
    const __m512 low = _mm512_cvtph_ps(_mm512_castsi512_si256(both)), high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1));
    return pairs_of(low, high);
  } else {
    return pairs_at(reinterpret_cast<const float*>(row) + k, count);
  }
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
        r[i] = row < w.out ? weights_at<format>(w.data + row * row_size, k, left) : _mm512_setzero_si512();
      }
      transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) _mm512_store_si512(panel + (p + i) * count + group, r[i]);
    }
  }
}

// The same of interleaved rows, which lie as the panel wants them.
void copy_panel(const Matrix& w, int64_t row0, int64_t count, int64_t k0, int64_t pairs, uint32_t* panel) {
  for (int64_t group = 0; group < count; group += 16) {
    const std::byte* from = w.data + (row0 + group) / 16 * packed_group_bytes(DType::bf16, w.in) + k0 / 2 * 64;
    for (int64_t p = 0; p < pairs; ++p) _mm512_store_si512(panel + p * count + group, _mm512_loadu_si512(from + p * 64));
  }
}

// All rows of x against a panel of `count` weight rows; out points at the panel's first output.
void multiply_panel(const LinearPart& part, const uint32_t* panel, int64_t count, int64_t k0, int64_t pairs, float* out, int64_t valid) {
  const int64_t x_stride = bf16_row_pairs(part.weight->in);
  const bool add = part.accumulate || k0 > 0;
  for (int64_t i = 0; i < part.rows; i += tile_tokens) {
    const auto* x = reinterpret_cast<const uint32_t*>(part.prepared) + i * x_stride + k0 / 2;
    multiply_columns<Bf16Product>(panel, count, count, pairs, x, x_stride, smaller(tile_tokens, part.rows - i), out + i * part.out_stride, part.out_stride, valid, add);
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
      if (w.layout == MatrixLayout::interleaved16) copy_panel(w, 16 * g, count, 2 * p0, pairs, panel);
      else fill_panel<format>(w, 16 * g, count, 2 * p0, pairs, panel);
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
      _mm512_store_si512(to + p, pairs_at(x + i * x_stride + 2 * p, in - 2 * p));
  }
}

}  // namespace lava::LAVA_ISA
#else
void lava::LAVA_ISA::linear_bf16(const LinearPart& part) { linear_exact(part); }
void lava::LAVA_ISA::prepare_bf16_rows(const float*, int64_t, int64_t, int64_t, int64_t, std::byte*) {}
#endif
