// linear with float32 activations. One row: weights are widened in registers. More rows: a panel of weight rows is widened once into
// the lane's scratch, [k][panel rows], and multiplied with tiles of rows x tokens held in registers.
#include "kernels/cpu/register_tile.h"
#include "kernels/formats/formats.h"
#include "kernels/linear/linear_cpu.h"
#include "kernels/linear/unit_cpu.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t panel_rows = lanes == 16 ? 64 : 32;
constexpr int64_t panel_depth = 2048;  // k of one panel: half of the scratch, so that it stays in the second-level cache
static_assert(panel_rows * panel_depth * 4 <= static_cast<int64_t>(Lane::scratch_bytes) / 2);

// --- panels -------------------------------------------------------------------------------------------------------------------

template <DType format>
void widen_group(const std::byte* group, int64_t k0, int64_t depth, float* panel, int64_t stride) {
  for (int64_t u = 0; u < depth / 32; ++u) {
    const Unit<format> unit(group, k0 / 32 + u);
    for (int64_t v = 0; v < vectors; ++v) {
      const VF scale[2] = {unit.scale(v, 0), unit.scale(v, 1)};
      const VF offset = splat(static_cast<float>(-Unit<format>::offset));
      VF min = zero();
      if constexpr (Unit<format>::f.has_min) min = unit.min(v);
      float* target = panel + 32 * u * stride + v * lanes;
      for_quads([&](auto quad) HWY_ATTR {
        constexpr int p = decltype(quad)::index;
        const VU codes = unit.template codes<p>(v);
        const auto put = [&](int i, VF code) HWY_ATTR {
          const VF s = scale[Unit<format>::halves ? p / 4 : 0];
          const VF value = Unit<format>::f.has_min ? hn::MulAdd(code, s, min) : hn::Mul(hn::Add(code, offset), s);
          store(value, target + (4 * p + i) * stride);
        };
        put(0, code_float<format, 0>(codes));
        put(1, code_float<format, 1>(codes));
        put(2, code_float<format, 2>(codes));
        put(3, code_float<format, 3>(codes));
      });
    }
  }
}

HWY_INLINE VU load_pairs(const std::byte* p) { return hn::LoadU(du, reinterpret_cast<const uint32_t*>(p)); }
HWY_INLINE VF first_of(VU pair) { return hn::BitCast(df, hn::ShiftLeft<16>(pair)); }
HWY_INLINE VF second_of(VU pair) { return hn::BitCast(df, hn::And(pair, hn::Set(du, 0xffff0000u))); }

// BF16: pairs of neighbouring k.
void widen_pairs(const std::byte* group, int64_t k0, int64_t depth, float* panel, int64_t stride) {
  for (int64_t k = 0; k < depth; k += 2) {
    for (int64_t v = 0; v < vectors; ++v) {
      const VU pair = load_pairs(group + (k0 + k) / 2 * 64 + v * lanes * 4);
      store(first_of(pair), panel + k * stride + v * lanes);
      if (k + 1 < depth) store(second_of(pair), panel + (k + 1) * stride + v * lanes);
    }
  }
}

void widen_packed(const Matrix& w, const std::byte* group, int64_t k0, int64_t depth, float* panel, int64_t stride) {
  if (w.format == DType::bf16) return widen_pairs(group, k0, depth, panel, stride);
  LAVA_FOR_FORMAT(w.format, widen_group, group, k0, depth, panel, stride)
}

// Weights of a mapped file may lie at any address: vectors load unaligned, single values through a copy.
template <class T>
HWY_INLINE T value_at(const T* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof(T));
  return value;
}

struct AsF32 {
  using Stored = float;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const Stored* p) {
    return hn::LoadU(d, p);
  }
  static HWY_INLINE float value(const Stored* p) { return value_at(p); }
};
struct AsF16 {
  using Stored = uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const Stored* p) {
    const hn::Rebind<hwy::float16_t, D> d16;
    return hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(p)));
  }
  static HWY_INLINE float value(const Stored* p) { return half_to_float(value_at(p)); }
};
struct AsBf16 {
  using Stored = uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const Stored* p) {
    const hn::Rebind<uint16_t, D> d16;
    const hn::RebindToUnsigned<D> d32;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, hn::LoadU(d16, p))));
  }
  static HWY_INLINE float value(const Stored* p) { return bf16_to_float(value_at(p)); }
};

// Four rows of `depth` values, transposed to panel[k * stride + 0..3]. Rows below `valid` exist, the others become zero.
template <class As>
void transpose_four(const typename As::Stored* rows, int64_t row_stride, int valid, int64_t depth, float* panel, int64_t stride) {
  int64_t k = 0;
  if constexpr (lanes >= 4) {
    const hn::CappedTag<float, 4> d;
    for (; valid == 4 && k + 4 <= depth; k += 4) {
      const auto a = As::load(d, rows + k), b = As::load(d, rows + row_stride + k);
      const auto c = As::load(d, rows + 2 * row_stride + k), e = As::load(d, rows + 3 * row_stride + k);
      const auto ac0 = hn::InterleaveLower(d, a, c), ac1 = hn::InterleaveUpper(d, a, c);
      const auto be0 = hn::InterleaveLower(d, b, e), be1 = hn::InterleaveUpper(d, b, e);
      hn::StoreU(hn::InterleaveLower(d, ac0, be0), d, panel + k * stride);
      hn::StoreU(hn::InterleaveUpper(d, ac0, be0), d, panel + (k + 1) * stride);
      hn::StoreU(hn::InterleaveLower(d, ac1, be1), d, panel + (k + 2) * stride);
      hn::StoreU(hn::InterleaveUpper(d, ac1, be1), d, panel + (k + 3) * stride);
    }
  }
  for (; k < depth; ++k) {
    for (int r = 0; r < 4; ++r) panel[k * stride + r] = r < valid ? As::value(rows + r * row_stride + k) : 0.0f;
  }
}

template <class As>
void widen_rows(const Matrix& w, int64_t row0, int64_t count, int64_t k0, int64_t depth, float* panel) {
  const auto* data = reinterpret_cast<const typename As::Stored*>(w.data);
  for (int64_t r = 0; r < count; r += 4) {
    const int64_t left = w.out - (row0 + r), valid = left < 0 ? 0 : smaller(left, 4);
    transpose_four<As>(data + (row0 + r) * w.in + k0, w.in, static_cast<int>(valid), depth, panel + r, count);
  }
}

// Quantised rows as in the file: nobody's preferred layout, so it only has to be right.
void widen_file_rows(const Matrix& w, int64_t row0, int64_t count, int64_t k0, int64_t depth, float* panel, float* line) {
  for (int64_t r = 0; r < count; ++r) {
    const bool exists = row0 + r < w.out;
    if (exists) widen_file_row(w, row0 + r, k0, depth, line);
    for (int64_t k = 0; k < depth; ++k) panel[k * count + r] = exists ? line[k] : 0.0f;
  }
}

// Rows [16 group, 16 group + count) of W, k in [k0, k0 + depth), to panel[k][count].
void fill_panel(const Matrix& w, int64_t group, int64_t count, int64_t k0, int64_t depth, float* panel) {
  if (w.layout == MatrixLayout::interleaved16) {
    const int64_t group_bytes = packed_group_bytes(w.format, w.in);
    for (int64_t g = 0; g < count / 16; ++g) widen_packed(w, w.data + (group + g) * group_bytes, k0, depth, panel + 16 * g, count);
    return;
  }
  switch (w.format) {
    case DType::f32:
      return widen_rows<AsF32>(w, 16 * group, count, k0, depth, panel);
    case DType::f16:
      return widen_rows<AsF16>(w, 16 * group, count, k0, depth, panel);
    case DType::bf16:
      return widen_rows<AsBf16>(w, 16 * group, count, k0, depth, panel);
    default:
      return widen_file_rows(w, 16 * group, count, k0, depth, panel, panel + panel_rows * panel_depth);
  }
}

// --- tiles --------------------------------------------------------------------------------------------------------------------

struct FloatProduct {
  using Value = float;
  static HWY_INLINE VF load(const float* p) { return LAVA_ISA::load(p); }
  static HWY_INLINE VF splat(float x) { return LAVA_ISA::splat(x); }
  static HWY_INLINE VF add(VF sum, VF a, VF b) { return hn::MulAdd(a, b, sum); }
};

// All rows of x against a panel of `count` weight rows; out points at the panel's first output.
void multiply_panel(const LinearPart& part, const float* panel, int64_t count, int64_t k0, int64_t depth, float* out, int64_t valid) {
  const bool add = part.accumulate || k0 > 0;
  for (int64_t i = 0; i < part.rows; i += tile_tokens) {
    multiply_columns<FloatProduct>(panel, count, count, depth, part.x + i * part.x_stride + k0, part.x_stride, smaller(tile_tokens, part.rows - i),
                                   out + i * part.out_stride, part.out_stride, valid, add);
  }
}

void multiply_rows(const LinearPart& part) {
  const Matrix& w = *part.weight;
  float* panel = reinterpret_cast<float*>(part.scratch);
  for (int64_t g = part.group_begin; g < part.group_end; g += panel_rows / 16) {
    const int64_t count = 16 * smaller(panel_rows / 16, part.group_end - g);
    for (int64_t k0 = 0; k0 < w.in; k0 += panel_depth) {
      const int64_t depth = smaller(panel_depth, w.in - k0);
      fill_panel(w, g, count, k0, depth, panel);
      multiply_panel(part, panel, count, k0, depth, part.out + 16 * g, w.out - 16 * g);
    }
  }
}

// --- one row ------------------------------------------------------------------------------------------------------------------

// out[r] = w[r] . x for R rows of n values. Rows are read side by side: as many streams keep the memory busy, where a single one, even
// with prefetching, stopped at half of its rate (Zen 4, BF16 rows of 4 KB: 22 against 35 to 45 of 47 GB/s).
template <class As, int R>
void dot_rows_together(const typename As::Stored* HWY_RESTRICT w, const float* HWY_RESTRICT x, int64_t n, float* HWY_RESTRICT out, bool add) {
  VF sum[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) sum[r] = zero();
  int64_t k = 0;
  for (; k + lanes <= n; k += lanes) {
    const VF xs = load(x + k);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) sum[r] = hn::MulAdd(As::load(df, w + r * n + k), xs, sum[r]);
  }
  for (int r = 0; r < R; ++r) {
    float total = sum_of(sum[r]);
    for (int64_t i = k; i < n; ++i) total += As::value(w + r * n + i) * x[i];
    out[r] = add ? out[r] + total : total;
  }
}

template <class As>
void dot_rows(const LinearPart& part) {
  constexpr int together = vector_registers == 32 ? 8 : 4;
  const Matrix& w = *part.weight;
  const auto* data = reinterpret_cast<const typename As::Stored*>(w.data);
  const int64_t end = smaller(16 * part.group_end, w.out);
  int64_t o = 16 * part.group_begin;
  for (; o + together <= end; o += together) dot_rows_together<As, together>(data + o * w.in, part.x, w.in, part.out + o, part.accumulate);
  for (; o < end; ++o) dot_rows_together<As, 1>(data + o * w.in, part.x, w.in, part.out + o, part.accumulate);
}

// Sums of x over stretches of 16, for the offsets and mins of the weights.
void sum_halves(const float* x, int64_t in, float* sums) {
  for (int64_t h = 0; h < in / 16; ++h) {
    float sum = 0.0f;
    for (int i = 0; i < 16; ++i) sum += x[16 * h + i];
    sums[h] = sum;
  }
}

// Sum over a unit of code * x, minus offset * sum(x), for values 0..15 and 16..31.
template <DType format>
HWY_INLINE void unit_products(const Unit<format>& unit, int64_t v, const float* x, const float* half_sums, VF& first, VF& second) {
  constexpr float offset = -static_cast<float>(Unit<format>::offset);
  first = splat(offset * half_sums[0]);
  second = splat(offset * half_sums[1]);
  for_quads([&](auto quad) HWY_ATTR {
    constexpr int p = decltype(quad)::index;
    const VU codes = unit.template codes<p>(v);
    VF& sum = p < 4 ? first : second;
    sum = hn::MulAdd(code_float<format, 0>(codes), splat(x[4 * p]), sum);
    sum = hn::MulAdd(code_float<format, 1>(codes), splat(x[4 * p + 1]), sum);
    sum = hn::MulAdd(code_float<format, 2>(codes), splat(x[4 * p + 2]), sum);
    sum = hn::MulAdd(code_float<format, 3>(codes), splat(x[4 * p + 3]), sum);
  });
}

template <DType format>
void multiply_row_packed(const LinearPart& part, const float* half_sums) {
  const Matrix& w = *part.weight;
  constexpr PackedFormat f = packed_format(format);
  for (int64_t g = part.group_begin; g < part.group_end; ++g) {
    const std::byte* group = w.data + g * (w.in / f.values() * f.bytes());
    VF sum[vectors];
    for (int64_t v = 0; v < vectors; ++v) sum[v] = zero();
    for (int64_t u = 0; u < w.in / 32; ++u) {
      const Unit<format> unit(group, u);
      prefetch_weights(unit.unit, f.unit_bytes());
      for (int64_t v = 0; v < vectors; ++v) {
        VF first, second;
        unit_products<format>(unit, v, part.x + 32 * u, half_sums + 2 * u, first, second);
        if constexpr (Unit<format>::halves) {
          sum[v] = hn::MulAdd(first, unit.scale(v, 0), hn::MulAdd(second, unit.scale(v, 1), sum[v]));
        } else {
          sum[v] = hn::MulAdd(hn::Add(first, second), unit.scale(v, 0), sum[v]);
        }
        if constexpr (f.has_min) sum[v] = hn::MulAdd(unit.min(v), splat(half_sums[2 * u] + half_sums[2 * u + 1]), sum[v]);
      }
    }
    for (int64_t v = 0; v < vectors; ++v) put(sum[v], part.out + 16 * g + v * lanes, w.out - 16 * g - v * lanes, part.accumulate);
  }
}

// BF16: one stream of pairs, which the hardware follows better than a program that runs ahead of it (Zen 4: 32 against 22 GB/s on one core).
void multiply_row_pairs(const LinearPart& part) {
  constexpr int64_t together = 4;  // values of k, each with a sum of its own
  const Matrix& w = *part.weight;
  for (int64_t g = part.group_begin; g < part.group_end; ++g) {
    const std::byte* group = w.data + g * packed_group_bytes(DType::bf16, w.in);
    VF sum[together][vectors];
    for (auto& row : sum) {
      for (VF& v : row) v = zero();
    }
    const auto add = [&](int64_t k, int64_t i, bool both) HWY_ATTR {
      for (int64_t v = 0; v < vectors; ++v) {
        const VU pair = load_pairs(group + k / 2 * 64 + v * lanes * 4);
        sum[i][v] = hn::MulAdd(first_of(pair), splat(part.x[k]), sum[i][v]);
        if (both) sum[i + 1][v] = hn::MulAdd(second_of(pair), splat(part.x[k + 1]), sum[i + 1][v]);
      }
    };
    int64_t k = 0;
    for (; k + together <= w.in; k += together) add(k, 0, true), add(k + 2, 2, true);
    for (; k < w.in; k += 2) add(k, 0, k + 1 < w.in);
    for (int64_t v = 0; v < vectors; ++v) {
      put(hn::Add(hn::Add(sum[0][v], sum[1][v]), hn::Add(sum[2][v], sum[3][v])), part.out + 16 * g + v * lanes, w.out - 16 * g - v * lanes, part.accumulate);
    }
  }
}

void multiply_row(const LinearPart& part) {
  const Matrix& w = *part.weight;
  if (w.layout == MatrixLayout::rows) {
    switch (w.format) {
      case DType::f32:
        return dot_rows<AsF32>(part);
      case DType::f16:
        return dot_rows<AsF16>(part);
      case DType::bf16:
        return dot_rows<AsBf16>(part);
      default:
        return multiply_rows(part);
    }
  }
  if (w.format == DType::bf16) return multiply_row_pairs(part);
  float* half_sums = reinterpret_cast<float*>(part.scratch);
  sum_halves(part.x, w.in, half_sums);
  LAVA_FOR_FORMAT(w.format, multiply_row_packed, part, half_sums)
}

}  // namespace

void linear_exact(const LinearPart& part) {
  const bool sums_fit = part.weight->in / 4 <= static_cast<int64_t>(Lane::scratch_bytes);
  if (part.rows == 1 && sums_fit) {
    multiply_row(part);
  } else {
    multiply_rows(part);
  }
}

}  // namespace lava::LAVA_ISA
