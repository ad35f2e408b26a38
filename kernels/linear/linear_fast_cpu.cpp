// linear with 8-bit activations on interleaved16 weights. Few rows: codes are unpacked in registers, at the speed of memory.
// More rows: the codes of a panel of weight rows are unpacked once into the lane's scratch and multiplied with register tiles.
#include "kernels/linear/linear_cpu.h"
#if LAVA_INTEGER_DOTS
#include "kernels/linear/dot_cpu.h"
#include "kernels/linear/prepared.h"

namespace lava::LAVA_ISA {
namespace {

constexpr int64_t panel_groups = 4;  // of 16 rows
// Units (of 32 values) of one panel: its codes, scales and mins, 41 to 47 KB, stay in the first two cache levels while all rows of x pass.
constexpr int64_t panel_units = 18;
constexpr int tile_vectors = lanes == 16 ? 4 : 2, tile_tokens = 3;  // 24 accumulators of 32 registers, or 12 of 16
constexpr int64_t few_rows = 8;                                     // that are multiplied straight from the packed weights

PreparedView view(const std::byte* row, const PreparedRow& at, int64_t unit) {
  return {reinterpret_cast<const int8_t*>(row) + 32 * unit, reinterpret_cast<const float*>(row + at.scale_at) + unit,
          reinterpret_cast<const float*>(row + at.sum_at) + unit, reinterpret_cast<const int32_t*>(row + at.minus_sum_at) + unit,
          reinterpret_cast<const int32_t*>(row + at.minus_half_at) + 2 * unit};
}

// --- few rows -----------------------------------------------------------------------------------------------------------------

// Four steps of four codes.
template <DType format>
HWY_INLINE VI dot_sixteen(VI sum, const VU* codes, const int8_t* x) {
  constexpr int narrow = Dots<format>::steps_in_16_bits < 4 ? Dots<format>::steps_in_16_bits : 4;
  if constexpr (narrow == 0) {
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) sum = Dots<format>::dot_four(sum, codes[p], load_four(x + 4 * p));
  } else {
#pragma GCC unroll 4
    for (int p = 0; p < 4; p += narrow) {
      VI pairs = Dots<format>::pair_products(codes[p], load_four(x + 4 * p));
#pragma GCC unroll 4
      for (int i = p + 1; i < p + narrow; ++i)
        pairs = Dots<format>::add_pairs(pairs, Dots<format>::pair_products(codes[i], load_four(x + 4 * i)));
      sum = Dots<format>::add_to_sum(sum, pairs);
    }
  }
  return sum;
}

// One unit of `lanes` weight rows against T rows of x.
template <DType format, int T>
HWY_INLINE void add_unit(const Unit<format>& unit, int64_t v, int64_t u, const PreparedView* x, VF* sum) {
  constexpr bool halves = Unit<format>::halves;
  VU codes[8];
  for_quads([&](auto quad) HWY_ATTR { codes[decltype(quad)::index] = unit.template codes<decltype(quad)::index>(v); });
  const VF scale = unit.scale(v, 0), second_scale = halves ? unit.scale(v, 1) : scale;
  VF min = zero();
  if constexpr (Unit<format>::f.has_min) min = unit.min(v);
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    VI a = start_from<format>(halves ? x[t].minus_half[2 * u] : x[t].minus_sum[u]);
    VI b = halves ? start_from<format>(x[t].minus_half[2 * u + 1]) : hn::Zero(di);
    a = dot_sixteen<format>(a, codes, x[t].code + 32 * u);
    b = dot_sixteen<format>(b, codes + 4, x[t].code + 32 * u + 16);
    const VF dx = splat(x[t].scale[u]);
    if constexpr (halves) {
      sum[t] = hn::MulAdd(hn::ConvertTo(df, a), hn::Mul(scale, dx), sum[t]);
      sum[t] = hn::MulAdd(hn::ConvertTo(df, b), hn::Mul(second_scale, dx), sum[t]);
    } else {
      sum[t] = hn::MulAdd(hn::ConvertTo(df, hn::Add(a, b)), hn::Mul(scale, dx), sum[t]);
    }
    if constexpr (Unit<format>::f.has_min) sum[t] = hn::MulAdd(min, splat(x[t].sum[u]), sum[t]);
  }
}

template <DType format, int T>
void multiply_group(const LinearPart& part, int64_t g, int64_t row) {
  const Matrix& w = *part.weight;
  constexpr PackedFormat f = packed_format(format);
  const PreparedRow at(w.in);
  PreparedView x[T];
  for (int t = 0; t < T; ++t) x[t] = view(part.prepared + (row + t) * at.bytes, at, 0);
  const std::byte* group = w.data + g * (w.in / f.values() * f.bytes());
  VF sum[vectors][T];
  for (int64_t v = 0; v < vectors; ++v) {
    for (int t = 0; t < T; ++t) sum[v][t] = zero();
  }
  for (int64_t u = 0; u < w.in / 32; ++u) {
    const Unit<format> unit(group, u);
    prefetch_weights(unit.unit, Unit<format>::f.unit_bytes());
    for (int64_t v = 0; v < vectors; ++v) add_unit<format, T>(unit, v, u, x, sum[v]);
  }
  for (int t = 0; t < T; ++t) {
    float* out = part.out + (row + t) * part.out_stride + 16 * g;
    for (int64_t v = 0; v < vectors; ++v) put(sum[v][t], out + v * lanes, w.out - 16 * g - v * lanes, part.accumulate);
  }
}

template <DType format>
void multiply_few(const LinearPart& part) {
  for (int64_t g = part.group_begin; g < part.group_end; ++g) {
    int64_t row = 0;
    for (; row + 4 <= part.rows; row += 4) multiply_group<format, 4>(part, g, row);
    if (part.rows - row == 1) multiply_group<format, 1>(part, g, row);
    if (part.rows - row == 2) multiply_group<format, 2>(part, g, row);
    if (part.rows - row == 3) multiply_group<format, 3>(part, g, row);
  }
}

// --- panels -------------------------------------------------------------------------------------------------------------------

// A panel holds, per unit: codes [quad][vector][4 lanes], f32 scale[rows] (twice for formats with halves), f32 min[rows] if any.
constexpr int64_t panel_vectors = panel_groups * vectors, panel_rows = 16 * panel_groups;
constexpr int64_t vector_bytes = 4 * lanes, quad_bytes = panel_vectors * vector_bytes;

template <DType format>
struct Panel {
  static constexpr bool halves = Unit<format>::halves, has_min = Unit<format>::f.has_min;
  static constexpr int64_t unit_bytes = panel_rows * (32 + 4 * (halves ? 2 : 1) + (has_min ? 4 : 0));
  uint8_t* data;
  int64_t used_vectors;

  HWY_INLINE uint8_t* codes(int64_t u, int64_t vector) const { return data + u * unit_bytes + vector * vector_bytes; }
  HWY_INLINE float* scales(int64_t u, int64_t vector) const {
    return reinterpret_cast<float*>(data + u * unit_bytes + 32 * panel_rows) + vector * lanes;
  }
};

template <DType format>
void unpack_group(const std::byte* group, int64_t u0, int64_t units, const Panel<format>& panel, int64_t first_vector) {
  for (int64_t u = 0; u < units; ++u) {
    const Unit<format> unit(group, u0 + u);
    for (int64_t v = 0; v < vectors; ++v) {
      uint8_t* codes = panel.codes(u, first_vector + v);
      for_quads([&](auto quad) HWY_ATTR {
        constexpr int p = decltype(quad)::index;
        hn::StoreU(unit.template codes<p>(v), du, reinterpret_cast<uint32_t*>(codes + p * quad_bytes));
      });
      float* scales = panel.scales(u, first_vector + v);
      hn::StoreU(unit.scale(v, 0), df, scales);
      if constexpr (Panel<format>::halves) hn::StoreU(unit.scale(v, 1), df, scales + panel_rows);
      if constexpr (Panel<format>::has_min) hn::StoreU(unit.min(v), df, scales + panel_rows);
    }
  }
}

// The compiler would load weights again for each row of x.
HWY_INLINE void keep_in_register(VU& v) {
#if HWY_ARCH_X86
  asm("" : "+v"(v.raw));
#else
  (void)v;
#endif
}

// Four-code steps [first, last) of one unit for R vectors of weights and T rows of x.
template <DType format, int R, int T, int first, int last>
HWY_INLINE void dot_steps(const uint8_t* codes, const PreparedView* x, int64_t u, VI (&sum)[R][T]) {
  constexpr int narrow = Dots<format>::steps_in_16_bits;
  [[maybe_unused]] VI pairs[R][T];
#pragma GCC unroll 8
  for (int p = first; p < last; ++p) {
    VU w[R];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      w[r] = hn::LoadU(du, reinterpret_cast<const uint32_t*>(codes + p * quad_bytes + r * vector_bytes));
      keep_in_register(w[r]);
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const VI four = load_four(x[t].code + 32 * u + 4 * p);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        if constexpr (narrow == 0) {
          sum[r][t] = Dots<format>::dot_four(sum[r][t], w[r], four);
        } else {
          const VI product = Dots<format>::pair_products(w[r], four);
          pairs[r][t] = p % narrow == 0 ? product : Dots<format>::add_pairs(pairs[r][t], product);
          if (p % narrow == narrow - 1 || p == last - 1) sum[r][t] = Dots<format>::add_to_sum(sum[r][t], pairs[r][t]);
        }
      }
    }
  }
}

template <int R, int T>
HWY_INLINE void scale_sums(const VI (&dots)[R][T], const float* scales, const PreparedView* x, int64_t u, VF (&sum)[R][T]) {
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    const VF dx = splat(x[t].scale[u]);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) sum[r][t] = hn::MulAdd(hn::ConvertTo(df, dots[r][t]), hn::Mul(load(scales + r * lanes), dx), sum[r][t]);
  }
}

template <DType format, int R, int T>
void tile(const Panel<format>& panel, int64_t vector, int64_t units, const PreparedView* x, float* out, int64_t out_stride, int64_t valid,
          bool add) {
  constexpr bool halves = Panel<format>::halves;
  VF sum[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) sum[r][t] = zero();
  }
  for (int64_t u = 0; u < units; ++u) {
    const uint8_t* codes = panel.codes(u, vector);
    const float* scales = panel.scales(u, vector);
    VI dots[R][T];
    if constexpr (halves) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) dots[r][t] = start_from<format>(x[t].minus_half[2 * u]);
      }
      dot_steps<format, R, T, 0, 4>(codes, x, u, dots);
      scale_sums<R, T>(dots, scales, x, u, sum);
      scales += panel_rows;
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) dots[r][t] = start_from<format>(halves ? x[t].minus_half[2 * u + 1] : x[t].minus_sum[u]);
    }
    dot_steps<format, R, T, halves ? 4 : 0, 8>(codes, x, u, dots);
    scale_sums<R, T>(dots, scales, x, u, sum);
    if constexpr (Panel<format>::has_min) {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const VF sx = splat(x[t].sum[u]);
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sum[r][t] = hn::MulAdd(load(scales + panel_rows + r * lanes), sx, sum[r][t]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) put(sum[r][t], out + t * out_stride + r * lanes, valid - r * lanes, add);
  }
}

template <DType format, int R, int T>
HWY_INLINE void tile_of(int64_t tokens, const Panel<format>& panel, int64_t vector, int64_t units, const PreparedView* x, float* out,
                        int64_t out_stride, int64_t valid, bool add) {
  if constexpr (T > 1) {
    if (tokens < T) return tile_of<format, R, T - 1>(tokens, panel, vector, units, x, out, out_stride, valid, add);
  }
  tile<format, R, T>(panel, vector, units, x, out, out_stride, valid, add);
}

template <DType format>
void multiply_panel(const LinearPart& part, const Panel<format>& panel, int64_t u0, int64_t units, float* out, int64_t valid) {
  const PreparedRow at(part.weight->in);
  const bool add = part.accumulate || u0 > 0;
  for (int64_t i = 0; i < part.rows; i += tile_tokens) {
    const int64_t tokens = smaller(tile_tokens, part.rows - i);
    PreparedView x[tile_tokens];
    for (int64_t t = 0; t < tokens; ++t) x[t] = view(part.prepared + (i + t) * at.bytes, at, u0);
    float* to = out + i * part.out_stride;
    int64_t v = 0;
    for (; v + tile_vectors <= panel.used_vectors; v += tile_vectors) {
      tile_of<format, tile_vectors, tile_tokens>(tokens, panel, v, units, x, to + v * lanes, part.out_stride, valid - v * lanes, add);
    }
    if (v + 2 <= panel.used_vectors) {
      tile_of<format, 2, tile_tokens>(tokens, panel, v, units, x, to + v * lanes, part.out_stride, valid - v * lanes, add);
      v += 2;
    }
    if (v < panel.used_vectors)
      tile_of<format, 1, tile_tokens>(tokens, panel, v, units, x, to + v * lanes, part.out_stride, valid - v * lanes, add);
  }
}

template <DType format>
void multiply_many(const LinearPart& part) {
  const Matrix& w = *part.weight;
  constexpr PackedFormat f = packed_format(format);
  const int64_t group_bytes = w.in / f.values() * f.bytes(), all_units = w.in / 32;
  const int64_t panels = (all_units + panel_units - 1) / panel_units, step = (all_units + panels - 1) / panels;
  for (int64_t g = part.group_begin; g < part.group_end; g += panel_groups) {
    const int64_t groups = smaller(panel_groups, part.group_end - g);
    const Panel<format> panel{reinterpret_cast<uint8_t*>(part.scratch), groups * vectors};
    for (int64_t u0 = 0; u0 < all_units; u0 += step) {
      const int64_t units = smaller(step, all_units - u0);
      for (int64_t i = 0; i < groups; ++i) unpack_group<format>(w.data + (g + i) * group_bytes, u0, units, panel, i * vectors);
      multiply_panel<format>(part, panel, u0, units, part.out + 16 * g, w.out - 16 * g);
    }
  }
}

template <DType format>
void multiply(const LinearPart& part) {
  static_assert(panel_units * 16 * panel_groups * (32 + 8) <= static_cast<int64_t>(Lane::scratch_bytes) * 3 / 4);
  if (part.rows <= few_rows) {
    multiply_few<format>(part);
  } else {
    multiply_many<format>(part);
  }
}

}  // namespace

void linear_fast(const LinearPart& part) { LAVA_FOR_FORMAT(part.weight->format, multiply, part) }

}  // namespace lava::LAVA_ISA
#else
void lava::LAVA_ISA::linear_fast(const LinearPart& part) { linear_exact(part); }
#endif
